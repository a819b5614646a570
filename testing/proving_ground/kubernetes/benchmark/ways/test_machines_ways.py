"""The ways of asking machines: arguments, files, documents, audit policies and sockets, with what they say."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.facts import KINDS, Facts, File, Machine
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.ways.audit import Audit
from proving_ground.kubernetes.benchmark.ways.registry import read_questions
from proving_ground.machines.node_facts import Socket

SITE = Site({"config": ("/etc/a", "/etc/b/*")})


def ask(question: dict[str, Any], **facts: Any) -> list[str]:
    """What is wrong on one machine of all kinds."""
    machine = Machine("one", **facts)
    (read,) = read_questions(question, "test")
    return list(read.wrong(Facts(dict.fromkeys(KINDS, (machine,))), SITE, "1.1"))


def test_argument_is_named_with_its_program_and_machine() -> None:
    found = ask({"argument": "a", "of": "kubelet", "equals": "1"}, processes={"kubelet": {"a": "2"}})
    assert found == ["one: --a of kubelet is '2', and should be '1'"]


@pytest.mark.parametrize(
    ("mode", "allowed", "red"),
    [(0o600, "600", False), (0o400, "600", False), (0o640, "600", True), (0o644, "644", False), (0o645, "644", True)],
)
def test_mode_may_allow_less_and_not_more(mode: int, allowed: str, red: bool) -> None:
    found = ask({"file": "/etc/a", "machines": "node", "mode": allowed}, files=[File("/etc/a", mode, "root:root")])
    assert found == ([f"one: /etc/a has the mode {mode:o}, which allows more than {allowed}"] if red else [])


def test_setuid_is_more_than_a_mode_allows() -> None:
    assert ask({"file": "/a", "machines": "node", "mode": "700"}, files=[File("/a", 0o4700, "root:root")])


def test_every_path_of_a_name_is_asked_for_and_has_to_be_there() -> None:
    question = {"file": "{config}", "machines": "node", "owner": "root:root"}
    assert ask(question, files=[File("/etc/b/c", 0o600, "core:root")]) == [
        "one: there is no /etc/a",
        "one: /etc/b/c belongs to core:root, not root:root",
    ]
    deeper = [File("/etc/a", 0o600, "root:root"), File("/etc/b/c/d", 0o600, "root:root")]
    assert ask(question, files=deeper) == ["one: there is no /etc/b/*"], "* stands for one part of a path"


def test_file_that_must_not_be_there() -> None:
    question = {"file": "/etc/a", "machines": "node", "present": False}
    assert ask(question, files=[File("/etc/a", 0, "root:root")]) == ["one: /etc/a is there"]
    assert ask(question) == []


def test_document_is_the_file_that_an_argument_names() -> None:
    question = {"document": "config", "of": "kubelet", "at": "a.*.b", "only": ["right"]}
    processes = {"kubelet": {"config": "/k.yaml"}}
    documents = {"kubelet config": "a: [{b: right}, {b: wrong}]"}
    assert ask(question, processes=processes, documents=documents) == [
        "one: a.*.b in the file of --config is 'wrong', of which wrong is not allowed"
    ]
    assert ask(question, processes=processes, documents={"kubelet config": "a: []"}) == [
        "one: a.*.b in the file of --config is not set"
    ]
    with pytest.raises(LookupError, match=r"there is no /k\.yaml, or it is empty"):
        ask(question, processes=processes)
    with pytest.raises(LookupError, match="kubelet has no --config"):
        ask(question, processes={"kubelet": {}})


RULES: list[dict[str, Any]] = [
    {"level": "None", "users": ["system:kube-proxy"], "resources": [{"group": "", "resources": ["secrets"]}]},
    {"level": "None", "userGroups": ["system:nodes"]},
    {"level": "None", "nonResourceURLs": ["/healthz*"]},
    {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "pods/exec"]}]},
    {"level": "None", "verbs": ["watch"]},
    {"level": "RequestResponse", "resources": [{"group": "apps"}]},
    {"level": "Request", "userGroups": ["system:authenticated"], "resources": [{"group": "", "resources": ["pods"]}]},
    {"level": "Metadata", "resources": [{"group": "", "resources": ["*/proxy"]}]},
]


@pytest.mark.parametrize(
    ("group", "resource", "verb", "level"),
    [
        ("", "secrets", "get", "Metadata"),
        ("", "secrets", "watch", "Metadata"),
        ("", "pods/exec", "create", "Metadata"),
        ("", "pods", "watch", "None"),
        ("", "pods", "create", "Request"),
        ("apps", "deployments", "patch", "RequestResponse"),
        ("", "services/proxy", "get", "Metadata"),
        ("", "services", "create", "None"),
    ],
)
def test_first_rule_of_an_audit_policy_that_matches_counts(group: str, resource: str, verb: str, level: str) -> None:
    assert Audit(resource, group, verb, "Metadata").level({"rules": RULES}) == level


@pytest.mark.parametrize("address", ["*", "10.0.0.1", "[fd00::1]"])
def test_listener_elsewhere_is_found(address: str) -> None:
    question = {"listener": 10249, "of": "kube-proxy", "where": "loopback"}
    listeners = [Socket("tcp", "127.0.0.1", 10249, "kube-proxy"), Socket("tcp", address, 10249, "kube-proxy")]
    assert ask(question, listeners=listeners) == [f"one: kube-proxy listens at port 10249 of {address}"]
    assert ask(question, listeners=listeners[:1]) == []
    assert ask({**question, "where": "nowhere"}, listeners=listeners[:1]) != []


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"argument": "a", "of": "kubelett", "given": True}, "unknown program"),
        ({"argument": "a", "of": "kubelet"}, "expects nothing"),
        ({"argument": "a", "of": "kubelet", "equal": "1"}, "there is no field 'equal'"),
        ({"file": "/a", "machines": "nodes", "mode": "600"}, "unknown kind of machine"),
        ({"file": "/a", "machines": "node"}, "expects nothing"),
        ({"listener": 1, "of": "kubelet"}, "does not say where it may be"),
        ({"audit": "pods", "verb": "get", "least": "Some"}, "unknown level"),
        ({"authorities": [{"document": "a", "of": "kubelet"}]}, "fewer than two documents"),
        ({"text": "/a", "machines": "node"}, "lacks machines or mentions — machines: control-plane, etcd, node"),
        ({"clients": "/a", "machines": "node"}, "lacks machines or not_of — machines: control-plane, etcd, node"),
        ({"what": "this"}, "is no question"),
        ({"argument": "a", "file": "b"}, "is no question"),
        ([], "has no question"),
    ],
)
def test_question_that_is_wrong_or_could_not_be_red_is_refused(question: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_questions(question, "test")
