"""The stage: which calls bring a cluster from one state to another, and where pods run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.policies.cases import State, namespace_labels, pod_labels, with_policies, without_policy
from proving_ground.kubernetes.policies.scene import NAME_LABEL, Pod, Port, Protocol, Scene
from proving_ground.kubernetes.policies.stage import Stage, has_sctp, host_of, ready_nodes, renamed, without
from proving_ground.kubernetes.probe_answers import ProbePod
from proving_ground.kubernetes.probe_sessions import ProbeSessions
from proving_ground.kubernetes.reachability import Observation, Outcome

PORTS = (Port(80), Port(80, Protocol.SCTP))
SCENE = Scene({"x": {"ns": "x"}, "y": {}}, (Pod("a", "x", {"pod": "a", "old": "1"}, PORTS), Pod("b", "y")))
POLICY = {"metadata": {"namespace": "x", "name": "p"}, "spec": {"podSelector": {}}}


class Calls:
    """Notes the calls of the API."""

    def __init__(self) -> None:
        self.made: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.made.append((name, *arguments))


def stage(calls: Calls, reason: str = "") -> Stage:
    kube = SimpleNamespace(core=calls, networking=calls)
    pods = {"x/a": ProbePod("x-a", "policy-x-1", "node", "10.0.0.1"), "y/b": ProbePod("y-b", "policy-y-1", "node", "")}

    def ask(plan: dict[str, list[str]]) -> dict[tuple[str, str], Observation]:
        return {(source, each): Observation(Outcome.ERROR, reason=reason) for source in plan for each in plan[source]}

    names = {"x": "policy-x-1", "y": "policy-y-1"}
    return Stage(cast(Kube, kube), names, pods, State(SCENE), cast(ProbeSessions, ask))


def test_only_what_differs_is_changed() -> None:
    calls = Calls()
    made = stage(calls)
    state = pod_labels("x/a", pod="a", new="2")(namespace_labels("y", team="t")(with_policies(POLICY)(made.state)))
    made.become(state)
    assert calls.made == [
        ("patch_namespace", "policy-y-1", {"metadata": {"labels": {"team": "t"}}}),
        ("patch_namespaced_pod", "x-a", "policy-x-1", {"metadata": {"labels": {"pod": "a", "old": None, "new": "2"}}}),
        ("create_namespaced_network_policy", "policy-x-1", {"metadata": {"name": "p"}, "spec": {"podSelector": {}}}),
    ]
    calls.made.clear()
    made.become(state)
    assert calls.made == []


def test_a_policy_is_replaced_and_deleted() -> None:
    calls = Calls()
    made = stage(calls)
    made.become(with_policies(POLICY)(made.state))
    calls.made.clear()
    spec: dict[str, Any] = {"podSelector": {}, "ingress": [{}]}
    made.become(with_policies({**POLICY, "spec": spec})(made.state))
    made.become(without_policy("x/p")(made.state))
    assert calls.made == [
        ("replace_namespaced_network_policy", "p", "policy-x-1", {"metadata": {"name": "p"}, "spec": spec}),
        ("delete_namespaced_network_policy", "p", "policy-x-1"),
    ]


def test_namespaces_that_are_selected_by_name_have_the_clusters_names() -> None:
    names = {"x": "policy-x-1"}
    by_label = {"namespaceSelector": {"matchLabels": {NAME_LABEL: "x", "ns": "x"}}}
    assert renamed([by_label], names) == [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "policy-x-1", "ns": "x"}}}]
    by_name = {"key": NAME_LABEL, "operator": "In", "values": ["x", "default"]}
    assert renamed(by_name, names) == {**by_name, "values": ["policy-x-1", "default"]}
    other = {"key": "ns", "operator": "In", "values": ["x"]}
    assert renamed(other, names) == other


def test_sctp_is_left_out_where_a_kernel_has_none() -> None:
    assert has_sctp(stage(Calls()))
    assert not has_sctp(lacking := stage(Calls(), "protocol not supported"))
    assert without(lacking, Protocol.SCTP).state.scene.pod("x/a").ports == (Port(80),)


def node(name: str, *, ready: str = "True", cordoned: bool = False) -> Any:
    condition = SimpleNamespace(type="Ready", status=ready)
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name),
        spec=SimpleNamespace(unschedulable=cordoned),
        status=SimpleNamespace(conditions=[condition]),
    )


def test_pods_run_on_nodes_that_are_ready_and_not_cordoned() -> None:
    def kube(*nodes: Any) -> Kube:
        return cast(Kube, SimpleNamespace(nodes=lambda: nodes, kubeconfig="k"))

    nodes = (node("c"), node("b", ready="Unknown"), node("d", cordoned=True), node("a"))
    assert ready_nodes(kube(*nodes)) == ["a", "c"]
    with pytest.raises(UsageError, match="no node is ready"):
        ready_nodes(kube(node("b", ready="False")))


def test_an_address_of_ipv6_has_brackets_before_a_port() -> None:
    assert [host_of("10.0.0.1"), host_of("fd00::1")] == ["10.0.0.1", "[fd00::1]"]
