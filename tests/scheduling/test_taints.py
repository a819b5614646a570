"""Taints: a pod that does not tolerate the taint of a node is not placed there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.scheduling import OWN, Stage, on_node, tainted, tolerates
from proving_ground.core.topology import Topology

pytestmark = [
    pytest.mark.order(900),
    pytest.mark.disruptive,
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
]

KEY = f"{OWN}/reserved"


@pytest.fixture(scope="module")
def worker(pg_topology: Topology) -> str:
    """The worker that gets the taints."""
    return pg_topology.group("kube_worker")[-1].name


@pytest.fixture(scope="module")
def reserved(stage: Stage, worker: str) -> Iterator[Stage]:
    """Pods that may only run on a worker with a taint that they tolerate or not."""
    here = {"affinity": on_node(worker)}
    with tainted(stage.kube, worker, {"key": KEY, "value": "team-a", "effect": "NoSchedule"}):
        stage.create(
            stage.manifest("of-the-team", **here, **tolerates(KEY, "NoSchedule", value="team-a")),
            stage.manifest("of-any-team", **here, **tolerates(KEY, "NoSchedule")),
            stage.manifest("of-another-team", **here, **tolerates(KEY, "NoSchedule", value="team-b")),
            stage.manifest("of-no-team", **here),
        )
        yield stage


def test_a_pod_that_tolerates_the_taint_is_placed(reserved: Stage, worker: str) -> None:
    assert reserved.node_of("of-the-team", "of-any-team") == [worker] * 2


@pytest.mark.parametrize("name", ["of-another-team", "of-no-team"])
def test_a_pod_that_does_not_tolerate_the_taint_stays_pending(reserved: Stage, name: str) -> None:
    reserved.refused(name, "untolerated taint")
