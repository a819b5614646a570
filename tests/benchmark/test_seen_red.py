"""The benchmark is red for what is broken on the live cluster, and for nothing else; all is put back at the end.

It is no part of a usual run, since a converge after it restarts what reads the files that it has touched:
``pytest --pg-reuse -m thorough tests/benchmark``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from proving_ground.kubernetes.benchmark.collect import needs_of
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.table import checks
from proving_ground.kubernetes.benchmark.ways.files import Files
from proving_ground.kubernetes.client import Kubectl
from proving_ground.kubernetes.pods import RESTRICTED_CONTAINER, RESTRICTED_POD
from proving_ground.machines.hosts import Hosts

Red = Callable[[], dict[str, tuple[str, ...]]]
pytestmark = [
    pytest.mark.order(990),
    pytest.mark.role("configure/etcd", "configure/kube-master", "configure/kube-worker", "samples/guestbook"),
    pytest.mark.disruptive,
    pytest.mark.thorough,
]

NAME = "seen-red"
IMAGE = "seen-red:latest"
USER = {"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}
BEFORE = "/run/benchmark-before"


def test_files_that_others_may_write_and_own_are_red(
    red: Red, pg_hosts: Hosts, pg_benchmark_machines: Mapping[str, Sequence[str]], pg_benchmark_site: Site
) -> None:
    about_files = {check.id for check in checks() if any(isinstance(each, Files) for each in check.questions)}
    assert len(about_files) == 31
    assert red() == {}
    with open_to_everybody(pg_hosts, pg_benchmark_machines, pg_benchmark_site):
        assert set(red()) == about_files
    assert red() == {}


@contextmanager
def open_to_everybody(hosts: Hosts, kinds: Mapping[str, Sequence[str]], site: Site) -> Iterator[None]:
    """Give the files that checks ask for to nobody, and let everybody write them, on the first machine of each kind."""
    patterns = needs_of(checks(), site).files
    of: dict[str, list[str]] = {}
    for kind, pattern in patterns:
        of.setdefault(kinds[kind][0], []).append(pattern)
    try:
        for name, found in of.items():
            hosts[name].check_output(
                f"stat --format='%a %u:%g %n' {' '.join(found)} 2>/dev/null | sort -u >{BEFORE}; "
                f"while read -r _ _ path; do chown nobody:nogroup $path; chmod o+rwX $path; done <{BEFORE}"
            )
        yield
    finally:
        for name in of:
            hosts[name].check_output(
                f"while read -r mode owner path; do chown $owner $path; chmod $mode $path; done <{BEFORE}; rm {BEFORE}"
            )


def test_objects_that_break_rules_are_red(red: Red, pg_kubectl: Kubectl) -> None:
    assert red() == {}
    try:
        pg_kubectl.run(
            "apply", "--filename=-", stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": objects()})
        )
        assert set(red()) == EXPECTED
    finally:
        chosen = (f"--selector={NAME}=true", "--ignore-not-found", "--grace-period=0", "--force")
        pg_kubectl.run("delete", "pods", "--namespace=default", *chosen)
        pg_kubectl.run("delete", "secrets", "--namespace=kube-system", *chosen)
        pg_kubectl.run("delete", "clusterrolebindings,clusterroles,namespaces", *chosen, "--wait=false")
    assert red() == {}


EXPECTED = {
    # RBAC, and that people cannot log in
    *(
        "5.1.1",
        "5.1.2",
        "5.1.3",
        "5.1.4",
        "5.1.5",
        "5.1.7",
        "5.1.8",
        "5.1.9",
        "5.1.10",
        "5.1.11",
        "5.1.12",
        "5.1.13",
        "3.1.1",
    ),
    # a namespace that takes every pod, without policies
    *(f"5.2.{number}" for number in range(1, 13)),
    "5.3.2",
    # secrets, tokens, and pods
    *("3.1.2", "3.1.3", "5.1.6", "5.4.1", "5.4.2", "5.6.1", "5.6.2", "5.6.3", "5.6.4"),
    # images that are pulled
    *("1.2.11", "5.5.1"),
}
"""All checks of section 5 but 5.3.1, and those of others that ask for objects."""

RULES = [
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods", "persistentvolumes", "serviceaccounts/token"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]},
    {"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests/approval"], "verbs": ["update"]},
    {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"], "verbs": ["patch"]},
    {"apiGroups": ["example.org"], "resources": ["*"], "verbs": ["get"]},
]


def objects() -> list[dict[str, Any]]:
    """What nobody should make."""
    rbac = "rbac.authorization.k8s.io/v1"
    masters = {"kind": "Group", "name": "system:masters", "apiGroup": "rbac.authorization.k8s.io"}
    return [
        made("v1", "Namespace", NAME, labels={"pod-security.kubernetes.io/enforce": "privileged"}),
        made(rbac, "ClusterRole", NAME, rules=RULES),
        *(
            made(rbac, "ClusterRoleBinding", f"{NAME}-{number}", roleRef=role(name), subjects=[subject])
            for number, (name, subject) in enumerate(
                [
                    (NAME, USER),
                    ("cluster-admin", USER),
                    ("view", masters),
                    ("view", {"kind": "ServiceAccount", "name": "default", "namespace": NAME}),
                ]
            )
        ),
        made("v1", "ServiceAccount", "idle", NAME),
        made("v1", "Secret", "word", NAME, stringData={"word": "x"}),
        made(
            "v1",
            "Secret",
            "token",
            NAME,
            type="kubernetes.io/service-account-token",
            annotations={"kubernetes.io/service-account.name": "idle"},
        ),
        made(
            "v1",
            "Secret",
            "bootstrap-token-abcdef",
            "kube-system",
            type="bootstrap.kubernetes.io/token",
            stringData={"token-id": "abcdef", "token-secret": "0123456789abcdef"},
        ),
        made("v1", "Pod", "careless", NAME, spec=careless()),
        made("v1", "Pod", "misplaced", "default", spec=modest()),
    ]


def made(version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    metadata = {
        "name": name,
        "labels": {NAME: "true", **fields.pop("labels", {})},
        "annotations": fields.pop("annotations", {}),
        **({"namespace": namespace} if namespace else {}),
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def role(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}


def careless() -> dict[str, Any]:
    reference = {"secretKeyRef": {"name": "word", "key": "word"}}
    return {
        "serviceAccountName": "idle",
        "securityContext": {"seccompProfile": {"type": "Unconfined"}},
        "containers": [{"name": "main", "image": IMAGE, "env": [{"name": "WORD", "valueFrom": reference}]}],
    }


def modest() -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "securityContext": RESTRICTED_CONTAINER}
    return {"automountServiceAccountToken": False, "securityContext": RESTRICTED_POD, "containers": [container]}
