"""Taints that evict: pods leave at once, after the seconds that they tolerate, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.scheduling import OWN, Stage, on_node, tainted, tolerates
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Topology

pytestmark = [
    pytest.mark.order(901),
    pytest.mark.disruptive,
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
]

EVICTING = f"{OWN}/evicting"
SOON, LATE = 5, 25
"""Seconds that two pods tolerate the taint that evicts them."""

MARGIN = 8
"""Seconds by which an eviction may be later than tolerated: the API has to hear of it, and the test to see it."""


@dataclass(frozen=True)
class Evictions:
    """When pods had to leave a worker.

    Attributes:
        stage: the pods' namespace.
        worker: the worker's name.
        tainted_at: just before the worker got the taint, by a monotonic clock.
    """

    stage: Stage
    worker: str
    tainted_at: float

    def seconds(self, name: str, most: float) -> float:
        """Wait until a pod is gone, or about to end; seconds since the taint."""

        def gone() -> float:
            if self.stage.pod(name) is not None:
                raise NotReady(f"{name} is still there")
            return time.monotonic() - self.tainted_at

        timeouts = self.stage.kube.timeouts
        return timeouts.wait_until(f"{name} has left", gone, timeout=most, interval=0.2)


def bear(stage: Stage, worker: str) -> None:
    """Let the worker's pods of others tolerate the taint that is to come: they have nothing to do with it."""
    found = stage.kube.core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={worker}").items
    for pod in found:
        is_static = "kubernetes.io/config.mirror" in (pod.metadata.annotations or {})  # tolerates everything
        if pod.metadata.namespace != stage.namespace and not is_static and pod.metadata.deletion_timestamp is None:
            as_json = stage.kube.core.api_client.sanitize_for_serialization
            own = [as_json(each) for each in pod.spec.tolerations or []]
            more = {"key": EVICTING, "operator": "Exists", "effect": "NoExecute"}
            change = {"spec": {"tolerations": [*(each for each in own if each.get("key") != EVICTING), more]}}
            stage.kube.core.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, change)


@pytest.fixture(scope="module")
def evictions(stage: Stage, pg_topology: Topology) -> Iterator[Evictions]:
    """Running pods on a worker that gets a taint that evicts; the worker is as before afterwards."""
    worker = pg_topology.group("kube_worker")[-1].name
    here, effect = {"affinity": on_node(worker)}, "NoExecute"

    def for_seconds(seconds: int) -> dict[str, Any]:
        return tolerates(EVICTING, effect, operator="Exists", tolerationSeconds=seconds)

    stage.create(
        stage.manifest("leaves-at-once", **here),
        stage.manifest("leaves-soon", **here, **for_seconds(SOON)),
        stage.manifest("leaves-late", **here, **for_seconds(LATE)),
        stage.manifest("stays", **here, **tolerates(EVICTING, effect)),
    )
    stage.node_of("leaves-at-once", "leaves-soon", "leaves-late", "stays")
    bear(stage, worker)
    before = time.monotonic()
    with tainted(stage.kube, worker, {"key": EVICTING, "effect": effect}):
        yield Evictions(stage, worker, before)


def test_pods_leave_after_the_seconds_that_they_tolerate_and_no_others_leave(evictions: Evictions) -> None:
    at_once = evictions.seconds("leaves-at-once", MARGIN)
    soon = evictions.seconds("leaves-soon", SOON + MARGIN)
    assert evictions.stage.pod("leaves-late") is not None, "25 s are over before 5 s"
    evictions.stage.create(evictions.stage.manifest("comes-late", affinity=on_node(evictions.worker)))
    evictions.stage.refused("comes-late", "untolerated taint")
    late = evictions.seconds("leaves-late", LATE + MARGIN)
    assert at_once < SOON <= soon < LATE <= late, (at_once, soon, late)
    assert evictions.stage.node_of("stays") == [evictions.worker]
