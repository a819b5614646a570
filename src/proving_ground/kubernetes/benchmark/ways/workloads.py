"""Ask how pods run: with tokens that they need, a seccomp profile, a security context, in namespaces of their own."""

from __future__ import annotations

from collections.abc import Iterator

from proving_ground.kubernetes.benchmark.facts import Facts, Manifest, name_of, values
from proving_ground.kubernetes.benchmark.grants import grants
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.ways.topics import OfTopic, Topics

SHARED = ("default", "kube-public", "kube-node-lease")
"""Namespaces that every cluster has, for no pods."""
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
PROFILES = ("RuntimeDefault", "Localhost")


def _pods(facts: Facts, site: Site, check: str) -> Iterator[Manifest]:
    if not facts.objects.get("pods"):
        raise LookupError("there are no pods at all")
    for pod in facts.objects["pods"]:
        if not site.trusts(f"Pod {name_of(pod)}", check):
            yield pod


def _containers(pod: Manifest) -> Iterator[Manifest]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod["spec"].get(kind) or ()


def _tokens(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield pods with a token of an account that may do nothing: it says only who they are."""
    bound = {grant.subject for grant in grants(facts)}
    for pod in _pods(facts, site, check):
        if TOKENS in values(pod, "spec.containers.*.volumeMounts.*.mountPath"):
            account = f"{pod['metadata']['namespace']}/{pod['spec'].get('serviceAccountName', 'default')}"
            if f"ServiceAccount {account}" not in bound:
                yield f"{name_of(pod)} has a token of {account}, which may do nothing"


def _seccomp(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield containers without a seccomp profile, of their own, of their pod, or by default of their kubelet."""
    for pod in _pods(facts, site, check):
        of_kubelet = facts.kubelets.get(pod["spec"].get("nodeName", ""), {}).get("seccompDefault") is True
        inherited = values(pod, "spec.securityContext.seccompProfile.type") or (["RuntimeDefault"] * of_kubelet)
        for container in _containers(pod):
            found = values(container, "securityContext.seccompProfile.type") or inherited
            if values(container, "securityContext.privileged") == [True]:
                yield f"{container['name']} of {name_of(pod)} is privileged, which takes every profile away"
            elif not found or found[0] not in PROFILES:
                yield f"{container['name']} of {name_of(pod)} has the seccomp profile {found[0] if found else 'none'}"


def _contexts(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield containers that keep capabilities, or may get more rights than they start with."""
    for pod in _pods(facts, site, check):
        for container in _containers(pod):
            context = container.get("securityContext") or {}
            lacking = [
                *(["allowPrivilegeEscalation: false"] * (context.get("allowPrivilegeEscalation") is not False)),
                *(["capabilities: {drop: [ALL]}"] * ("ALL" not in values(context, "capabilities.drop.*"))),
            ]
            if lacking:
                yield f"{container['name']} of {name_of(pod)} lacks {' and '.join(lacking)}"


def _policies(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield namespaces without a network policy."""
    having = {each["metadata"]["namespace"] for each in facts.objects.get("networkpolicies", ())}
    for namespace in _namespaces(facts):
        if namespace not in having and not site.trusts(f"Namespace {namespace}", check):
            yield f"{namespace} has no network policy"


def _apart(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield pods in the namespaces that every cluster has, and that users' pods have no namespace of their own."""
    for pod in _pods(facts, site, check):
        if pod["metadata"]["namespace"] in SHARED:
            yield f"{name_of(pod)} is in a namespace that is nobody's"
    if not set(_namespaces(facts)) - {*SHARED, *site.system_namespaces}:
        yield "there is no namespace beside those of the cluster itself"


def _namespaces(facts: Facts) -> list[str]:
    found = [str(each["metadata"]["name"]) for each in facts.objects.get("namespaces", ())]
    if not found:
        raise LookupError("there are no namespaces at all")
    return found


TOPICS: Topics = {
    "needless-tokens": _tokens,
    "seccomp": _seccomp,
    "contexts": _contexts,
    "network-policies": _policies,
    "apart": _apart,
}
"""What is asked, by the name that the table has for it."""


class Workloads(OfTopic):
    """A topic of :data:`TOPICS`: ``{workloads: TOPIC}``."""

    key = "workloads"
    topics = TOPICS
