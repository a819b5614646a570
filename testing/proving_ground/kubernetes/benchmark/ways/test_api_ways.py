"""The ways of asking the API: objects, rights, workloads and admission, with what they say."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.site import Site, Trust
from proving_ground.kubernetes.benchmark.ways.admission import POD, SOUND, Refuses, merged
from proving_ground.kubernetes.benchmark.ways.registry import read_questions

SITE = Site({}, trusted=(Trust("User calico", ("1.1",), "it has to"),))


def ask(question: Any, site: Site = SITE, **facts: Any) -> list[str]:
    (read,) = read_questions(question, "test")
    return list(read.wrong(Facts(**facts), site, "1.1"))


def rbac(role: str, *rules: dict[str, Any], subjects: list[dict[str, str]], namespace: str = "") -> dict[str, Any]:
    """Objects of RBAC with one role, and one binding of it."""
    metadata = {"name": role, **({"namespace": namespace} if namespace else {})}
    kind = "Role" if namespace else "ClusterRole"
    found: dict[str, list[Any]] = {"roles": [], "clusterroles": [], "rolebindings": [], "clusterrolebindings": []}
    found[f"{kind.lower()}s"] = [{"metadata": metadata, "rules": list(rules)}]
    given = {"metadata": metadata, "roleRef": {"kind": kind, "name": role}, "subjects": subjects}
    found[f"{kind.lower()}bindings"] = [given]
    return found


SECRETS = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}
QUESTION = {"rights": ["get", "list"], "to": ["secrets"]}


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ({"kind": "User", "name": "mallory"}, "User mallory"),
        ({"kind": "User", "name": "calico"}, ""),
        ({"kind": "User", "name": "system:kube-scheduler"}, ""),
        ({"kind": "Group", "name": "system:nodes"}, ""),
        ({"kind": "Group", "name": "system:authenticated"}, "Group system:authenticated"),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, "Group system:serviceaccounts:shop"),
        ({"kind": "User", "name": "system:anonymous"}, "User system:anonymous"),
        ({"kind": "ServiceAccount", "name": "a", "namespace": "kube-system"}, "ServiceAccount kube-system/a"),
    ],
)
def test_rights_are_nobodys_but_the_clusters_own_parts_and_the_trusted(subject: dict[str, str], found: str) -> None:
    wrong = ask(QUESTION, objects=rbac("reader", SECRETS, subjects=[subject]))
    said = f"{found} may get or list secrets, by ClusterRoleBinding reader and ClusterRole reader"
    assert wrong == ([said] if found else [])


def test_right_within_a_namespace_is_found_and_named() -> None:
    subject = {"kind": "ServiceAccount", "name": "front"}
    assert ask(QUESTION, objects=rbac("reader", SECRETS, subjects=[subject], namespace="shop")) == [
        "ServiceAccount shop/front may get or list secrets, by RoleBinding shop/reader and Role shop/reader"
    ]


@pytest.mark.parametrize(
    ("rule", "red"),
    [
        ({"verbs": ["*"], "apiGroups": [""], "resources": ["secrets"]}, True),
        ({"verbs": ["list"], "apiGroups": ["*"], "resources": ["*"]}, True),
        ({"verbs": ["delete"], "apiGroups": [""], "resources": ["secrets"]}, False),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["secrets"]}, False),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets/status"]}, False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, False),
    ],
)
def test_rule_allows_by_verb_group_and_resource_together(rule: dict[str, Any], red: bool) -> None:
    subject = {"kind": "User", "name": "mallory"}
    assert bool(ask(QUESTION, objects=rbac("some", rule, subjects=[subject]))) is red


def test_rights_of_a_cluster_without_bindings_are_not_known() -> None:
    with pytest.raises(LookupError, match="no bindings at all"):
        ask(QUESTION, objects={each: [] for each in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")})


def test_object_is_named_with_its_value() -> None:
    accounts = [
        {"metadata": {"name": "default", "namespace": "shop"}},
        {"metadata": {"name": "own", "namespace": "shop"}},
    ]
    question = {"objects": "serviceaccounts", "name": "default", "at": "automount", "equals": "false"}
    assert ask(question, objects={"serviceaccounts": accounts}) == [
        "serviceaccounts shop/default: automount is not set"
    ]
    with pytest.raises(LookupError, match="there are no serviceaccounts default"):
        ask(question, objects={"serviceaccounts": accounts[1:]})


def test_objects_that_must_not_be_there() -> None:
    found = {"services": [{"metadata": {"name": name, "namespace": "default"}} for name in ("kubernetes", "shop")]}
    question = {"objects": "services", "namespace": "default", "besides": ["kubernetes"], "none": True}
    assert ask(question, objects=found) == ["there is services default/shop"]
    with pytest.raises(LookupError, match="services were not collected"):
        ask(question, objects={})


def test_pod_of_a_refusal_differs_in_one_thing_from_one_that_is_taken() -> None:
    question = Refuses("host", {"hostNetwork": True}, {"securityContext": {"allowPrivilegeEscalation": None}})
    manifest = question.manifest()
    assert manifest["spec"]["hostNetwork"] is True
    assert manifest["spec"]["containers"][0]["securityContext"] == {"capabilities": {"drop": ["ALL"]}}
    assert "hostNetwork" not in POD["spec"]
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None}, "d": [1]}) == {"a": {"c": 2}, "d": [1]}


def test_namespace_that_takes_the_pod_is_named_and_one_that_refuses_all_is_no_success() -> None:
    refused = {
        "shop": {SOUND: "", "host": ""},
        "closed": {SOUND: "quota", "host": "quota"},
        "safe": {SOUND: "", "host": "violates"},
        "kube-system": {SOUND: "", "host": ""},
    }
    assert ask({"refuses": "host", "pod": {"hostNetwork": True}}, refused=refused) == [
        "shop takes host",
        "closed refuses even a pod that asks for nothing: quota",
    ]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"objects": "pod", "none": True}, "unknown resource 'pod'"),
        ({"objects": "pods"}, "expects nothing"),
        ({"rights": [], "to": ["pods"]}, r"lacks rights \(verbs\) or to \(resources\)"),
        ({"bindings": "admins"}, "unknown topic"),
        ({"workloads": "all"}, "unknown topic"),
    ],
)
def test_question_that_is_wrong_or_could_not_be_red_is_refused(question: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_questions(question, "test")
