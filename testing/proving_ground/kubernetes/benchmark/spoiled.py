"""Break facts in every way that a question looks for: for each, facts for which the question has to be red."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import singledispatch
from typing import Any

from proving_ground.kubernetes.benchmark.expectation import Expectation
from proving_ground.kubernetes.benchmark.facts import Facts, File, Machine
from proving_ground.kubernetes.benchmark.ways.admission import SOUND, Refuses
from proving_ground.kubernetes.benchmark.ways.arguments import Argument
from proving_ground.kubernetes.benchmark.ways.audit import Audit
from proving_ground.kubernetes.benchmark.ways.clients import Clients
from proving_ground.kubernetes.benchmark.ways.documents import Authorities, Document, Mentions
from proving_ground.kubernetes.benchmark.ways.files import Files
from proving_ground.kubernetes.benchmark.ways.kubelets import KubeletSetting
from proving_ground.kubernetes.benchmark.ways.listeners import Listens
from proving_ground.kubernetes.benchmark.ways.objects import Objects
from proving_ground.kubernetes.benchmark.ways.rights import Bindings, Rights
from proving_ground.kubernetes.benchmark.ways.workloads import Workloads
from proving_ground.machines.node_facts import Socket
from testing.proving_ground.kubernetes.benchmark.sound import SITE, binding, pod, role

MALLORY = {"kind": "User", "name": "mallory"}
Broken = Iterator[tuple[str, Facts]]


def wrong_values(expected: Expectation) -> list[str | None]:
    """Values that an expectation refuses; None for none at all. Each part of it is broken by itself."""
    found: list[str | None] = []
    if expected.given is False:
        return ["something"]
    if expected.default is None and not (expected.excludes or expected.differs):
        found.append(None)
    if expected.equals is not None:
        found.append(f"not-{expected.equals}")
    found += [expected.differs] * (expected.differs is not None)
    found += ["other"] * bool(expected.includes) + list(expected.excludes)
    if expected.only:
        found += [f"{expected.only[0]},weak", ""]
    if expected.at_least is not None:
        found += [str(expected.at_least - 1), "not a number"]
    if expected.at_most is not None:
        found.append(str(expected.at_most + 1))
    if expected.default is not None and (
        expected.default in expected.excludes or expected.equals not in {None, expected.default}
    ):
        found.append(None)
    return found


def on_machines(facts: Facts, change: Callable[[Machine], Machine]) -> Facts:
    return replace(facts, machines={kind: [change(each) for each in all_] for kind, all_ in facts.machines.items()})


def with_objects(facts: Facts, resource: str, change: Callable[[list[Any]], object]) -> Facts:
    found = copy.deepcopy(dict(facts.objects))
    change(list_ := list(found[resource]))
    return replace(facts, objects={**found, resource: list_})


@singledispatch
def spoiled(question: object, facts: Facts) -> Broken:
    """Yield what is broken, and the facts."""
    raise NotImplementedError(type(question))


@spoiled.register
def _(question: Argument, facts: Facts) -> Broken:
    def change(machine: Machine, value: str | None) -> Machine:
        found = {name: each for name, each in machine.processes[question.program].items() if name != question.argument}
        if value is not None:
            found[question.argument] = value
        return replace(machine, processes={**machine.processes, question.program: found})

    for value in wrong_values(question.expected):
        yield f"--{question.argument}={value}", on_machines(facts, lambda each, value=value: change(each, value))  # type: ignore[misc]
    stopped = {name: each for name, each in facts.machines["node"][0].processes.items() if name != question.program}
    yield f"{question.program} does not run", on_machines(facts, lambda each: replace(each, processes=stopped))


@spoiled.register
def _(question: Files, facts: Facts) -> Broken:
    paths = {each.path for path in SITE.paths_of(question.file) for each in facts.machines["node"][0].at(path)}

    def change(machine: Machine, alter: Callable[[File], File]) -> Machine:
        return replace(machine, files=[alter(each) if each.path in paths else each for each in machine.files])

    assert paths
    if question.mode is not None:
        for bit in (0o002, 0o020, 0o040 if question.mode & 0o040 == 0 else 0o001):
            yield (
                f"mode {bit:o}",
                on_machines(
                    facts,
                    lambda one, bit=bit: change(one, lambda each: replace(each, mode=each.mode | bit)),  # type: ignore[misc]
                ),
            )
    if question.owner:
        yield "owner", on_machines(facts, lambda one: change(one, lambda each: replace(each, owner="root:users")))
        yield "owner", on_machines(facts, lambda one: change(one, lambda each: replace(each, owner="core:root")))
    kept = [each for each in facts.machines["node"][0].files if each.path not in paths]
    yield "no file", on_machines(facts, lambda each: replace(each, files=kept))


@spoiled.register
def _(question: KubeletSetting, facts: Facts) -> Broken:
    for value in wrong_values(question.expected):
        yield (
            f"{question.path}: {value}",
            replace(facts, kubelets={"all": put(facts.kubelets["all"], question.path.split("."), value)}),
        )
    yield "no kubelet", replace(facts, kubelets={})


def put(value: Mapping[str, Any], path: list[str], new: Any) -> dict[str, Any]:
    """A copy of a mapping with another value at a path."""
    head, *rest = path
    return {**value, head: put(value.get(head) or {}, rest, new) if rest else new}


@spoiled.register
def _(question: Document, facts: Facts) -> Broken:
    key = f"{question.source.program} {question.source.argument}"
    for text in ("resources: [{resources: [configmaps], providers: [{identity: {}}]}]", "resources: []", "{", ""):
        yield text, with_document(facts, key, text)


def with_document(facts: Facts, key: str, text: str) -> Facts:
    return on_machines(facts, lambda each: replace(each, documents={**each.documents, key: text}))


@spoiled.register
def _(question: Authorities, facts: Facts) -> Broken:
    one, other = (f"{each.program} {each.argument}" for each in question.sources)
    yield "the same", with_document(facts, one, facts.machines["node"][0].documents[other])
    yield "no certificate", with_document(facts, one, "nothing")
    yield "no file", with_document(facts, other, "")


@spoiled.register
def _(question: Mentions, facts: Facts) -> Broken:
    for path in SITE.paths_of(question.file):
        yield "another", with_document(facts, path, '{"plugins": [{"type": "bridge"}]}')


@spoiled.register
def _(question: Listens, facts: Facts) -> Broken:
    def change(address: str) -> Facts:
        return on_machines(
            facts,
            lambda each: replace(each, listeners=[*each.listeners, Socket("tcp", address, question.port, "some")]),
        )

    yield "everywhere", change("*")
    yield "elsewhere", change("10.0.0.1")
    if question.loopback:
        yield "nowhere", on_machines(facts, lambda each: replace(each, listeners=()))


@spoiled.register
def _(_question: Clients, facts: Facts) -> Broken:
    yield "none", on_machines(facts, lambda each: replace(each, clients={}))


@spoiled.register
def _(question: Audit, facts: Facts) -> Broken:
    key = "kube-apiserver audit-policy-file"
    yield "nothing", with_document(facts, key, "rules: []")
    silent = f"{{group: '{question.group}', resources: ['{question.resource}']}}"
    yield "silent", with_document(facts, key, f"rules: [{{level: None, resources: [{silent}]}}, {{level: Metadata}}]")
    if question.most != "RequestResponse":
        yield "all", with_document(facts, key, "rules: [{level: RequestResponse}]")
        yield "bodies", with_document(facts, key, "rules: [{level: Request}]")


@spoiled.register
def _(question: Refuses, facts: Facts) -> Broken:
    for what, said in ((question.what, ""), (SOUND, "all are refused")):
        shop = {**facts.refused["shop"], what: said}
        yield f"{what}: {said or 'taken'}", replace(facts, refused={**facts.refused, "shop": shop})
    yield "nobody asked", replace(facts, refused={})


@spoiled.register
def _(question: Objects, facts: Facts) -> Broken:
    if question.expected is None:
        found = {"metadata": {"name": "another", "namespace": question.namespace or "shop"}}
        yield "there is one", with_objects(facts, question.resource, lambda all_: all_.append(found))
        return

    for value in wrong_values(question.expected):
        yield (
            f"{value}",
            with_objects(
                facts,
                question.resource,
                lambda all_, value=value: all_.append(like(all_[0], question.path.split("."), value)),  # type: ignore[misc]
            ),
        )


def like(manifest: Any, path: list[str], value: Any) -> Any:
    """A copy of an object with another value at a path; lists on the way get one entry."""
    head, *rest = path
    if head == "*":
        return [like((manifest or [{}])[0], rest, value)]
    manifest = manifest or {}
    return {**manifest, head: like(manifest.get(head), rest, value) if rest else value}


@spoiled.register
def _(question: Rights, facts: Facts) -> Broken:
    for verb in question.verbs:
        for resource in question.resources:
            yield from granted(facts, {"verbs": [verb], "apiGroups": [question.group], "resources": [resource]})
    yield from granted(facts, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
    yield "no bindings", replace(facts, objects={**facts.objects, "clusterrolebindings": [], "rolebindings": []})


def granted(facts: Facts, rule: dict[str, Any]) -> Broken:
    more = with_objects(facts, "clusterroles", lambda all_: all_.append(role("more", rule)))
    for subject in (MALLORY, {"kind": "Group", "name": "system:authenticated"}):
        given = binding("more", "more", subject)
        yield (
            f"{subject['name']} {rule}",
            with_objects(
                more,
                "clusterrolebindings",
                lambda all_, given=given: all_.append(given),  # type: ignore[misc]
            ),
        )
    within = {**binding("more", "more", MALLORY), "metadata": {"name": "more", "namespace": "shop"}}
    yield f"within shop {rule}", with_objects(more, "rolebindings", lambda all_: all_.append(within))


@spoiled.register
def _(question: Bindings, facts: Facts) -> Broken:
    masters = {"kind": "Group", "name": "system:masters"}
    default = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["*"]}
    added = {
        "cluster-admin": ("clusterrolebindings", binding("more", "cluster-admin", MALLORY)),
        "wildcards": ("clusterroles", role("more", rule)),
        "users": ("clusterrolebindings", binding("more", "reader", MALLORY)),
        "system:masters": ("clusterrolebindings", binding("more", "reader", masters)),
        "default-accounts": ("clusterrolebindings", binding("more", "reader", default)),
    }[question.topic]
    yield question.topic, with_objects(facts, added[0], lambda all_: all_.append(added[1]))


@spoiled.register
def _(question: Workloads, facts: Facts) -> Broken:
    def with_pod(made: dict[str, Any]) -> Facts:
        return with_objects(facts, "pods", lambda all_: all_.append(made))

    token = pod("more")
    token["spec"]["containers"][0]["volumeMounts"] = [
        {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    ]
    if question.topic == "needless-tokens":
        yield "token", with_pod(token)
    elif question.topic == "seccomp":
        yield "unconfined", with_pod(pod("more", securityContext={"seccompProfile": {"type": "Unconfined"}}))
        yield "no default", replace(facts, kubelets={})
        privileged = pod("more")
        privileged["spec"]["initContainers"] = [{"name": "first", "securityContext": {"privileged": True}}]
        yield "privileged", with_pod(privileged)
    elif question.topic == "contexts":
        yield "none", with_pod(pod("more", containers=[{"name": "main"}]))
        yield (
            "some",
            with_pod(
                pod("more", containers=[{"name": "main", "securityContext": {"capabilities": {"drop": ["ALL"]}}}])
            ),
        )
        yield "init", with_pod(pod("more", initContainers=[{"name": "first"}]))
    elif question.topic == "network-policies":
        yield "none", with_objects(facts, "networkpolicies", lambda all_: all_.pop())
    else:
        assert question.topic == "apart"
        yield "in default", with_pod(pod("more", "default"))
        yield "one namespace", with_objects(facts, "namespaces", lambda all_: all_.pop())
