"""Pods: when they count as ready, how their state reads, and what their manifests ask for."""

from __future__ import annotations

from types import SimpleNamespace as Object
from typing import Any, cast

import pytest

from proving_ground.core.polling import WaitTimeoutError
from proving_ground.core.timeouts import USUAL
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import pod_manifest, ready, state, wait_for_pods


def pod(name: str = "a", *, is_ready: bool = True, deleted: bool = False) -> Any:
    waiting = None if is_ready else Object(reason="ErrImageNeverPull", message="no such image")
    container = Object(name="main", state=Object(waiting=waiting, terminated=None))
    message = None if is_ready else "containers with unready status: [main]"
    condition = Object(type="Ready", status=str(is_ready), message=message, reason=None)
    return Object(
        metadata=Object(name=name, namespace="ns", deletion_timestamp="now" if deleted else None),
        spec=Object(node_name="kube-worker-01"),
        status=Object(phase="Running", conditions=[condition], container_statuses=[container]),
    )


def cluster(*pods: Any) -> Kube:
    core = Object(list_namespaced_pod=lambda *_, **__: Object(items=list(pods)))
    return cast(Kube, Object(core=core, timeouts=USUAL))


@pytest.mark.parametrize(
    ("candidate", "expected"), [(pod(), True), (pod(is_ready=False), False), (pod(deleted=True), False)]
)
def test_pod_is_ready_while_it_is_and_is_not_on_its_way_out(candidate: Any, expected: bool) -> None:
    assert ready(candidate) is expected


def test_state_of_a_pod_tells_where_it_is_and_what_it_waits_for() -> None:
    assert state(pod(is_ready=False)) == (
        "ns/a on kube-worker-01: Running; Ready: containers with unready status: [main]; "
        "main waits: ErrImageNeverPull no such image"
    )


def test_waiting_ends_when_all_pods_are_ready_and_gives_them_by_name() -> None:
    found = wait_for_pods(cluster(pod("b"), pod("a")), "ns", 2, timeout=0)
    assert [each.metadata.name for each in found] == ["a", "b"]


@pytest.mark.parametrize("pods", [[], [pod("a"), pod("b")], [pod(is_ready=False)]])
def test_waiting_takes_neither_too_few_nor_too_many_nor_unready_pods(pods: list[Any]) -> None:
    with pytest.raises(WaitTimeoutError, match=f"{len(pods)} of 1 pods are there"):
        wait_for_pods(cluster(*pods), "ns", 1, timeout=0)


def test_manifest_never_pulls_and_ends_at_once() -> None:
    manifest = pod_manifest("a", "image", labels={"x": "y"}, node="n", hostNetwork=True, container={"args": ["serve"]})
    assert manifest["metadata"] == {"name": "a", "labels": {"x": "y"}}
    assert manifest["spec"]["nodeName"] == "n"
    assert manifest["spec"]["hostNetwork"] is True
    assert manifest["spec"]["terminationGracePeriodSeconds"] == 0
    (container,) = manifest["spec"]["containers"]
    assert container == {"name": "main", "image": "image", "imagePullPolicy": "Never", "args": ["serve"]}


def test_manifest_leaves_the_node_to_the_scheduler_unless_told() -> None:
    assert "nodeName" not in pod_manifest("a", "image")["spec"]
