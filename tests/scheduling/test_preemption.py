"""Priority: the least important pod makes room for a more important one; guarded pods stay if there is another way."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from fixtures.api import patient
from fixtures.scheduling import OWN, Stage, offering, on_node, seats
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Topology

pytestmark = [
    pytest.mark.order(126),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("scheduling"),
]

SEAT, GUARDED_SEAT = f"{OWN}/seat-by-priority", f"{OWN}/guarded-seat"
LOWEST, LOW, HIGH = 10, 20, 1000
NO_WAY = "preemption: 0/"
"""In an event: on how many nodes it would help to take others' places away."""


@dataclass(frozen=True)
class Scene:
    """A worker with two full pairs of seats: one pair by priority, one with a pod that a budget guards.

    Attributes:
        stage: the pods' namespace.
        worker: the worker's name.
        classes: priority → the name of its class.
    """

    stage: Stage
    worker: str
    classes: dict[int, str]

    def manifest(self, name: str, priority: int, resource: str, **spec: Any) -> dict[str, Any]:
        """A pod of this priority on one of the worker's seats."""
        where = {"affinity": on_node(self.worker), "resources": seats(resource)}
        own = {"priorityClassName": self.classes[priority]}
        return self.stage.manifest(name, labels={"is": name}, **own, **where, **spec)

    def left(self, name: str) -> None:
        """Wait until a pod has been preempted, and an event says so."""

        def gone() -> None:
            if self.stage.pod(name) is not None:
                raise NotReady(f"{name} is still there")
            selector = f"involvedObject.name={name},reason=Preempted"
            if not self.stage.kube.core.list_namespaced_event(self.stage.namespace, field_selector=selector).items:
                raise NotReady(f"{name} is gone, and no event says that it was preempted")

        self.stage.kube.timeouts.wait_until(f"{name} has been preempted", gone, timeout=20, interval=0.2)


@contextmanager
def priority_class(stage: Stage, value: int, **more: Any) -> Iterator[str]:
    """A class of this priority, for the length of the context; its name."""
    from kubernetes import client

    classes = client.SchedulingV1Api(stage.kube.api_client())
    name = f"proving-ground-{value}-{secrets.token_hex(3)}"
    classes.create_priority_class({"metadata": {"name": name}, "value": value, **more})
    try:
        pod = stage.manifest("asks", priorityClassName=name)
        asked = partial(stage.kube.core.create_namespaced_pod, stage.namespace, pod, dry_run="All")
        # Pods are admitted by what the API server has been told of classes, and that may be a moment later.
        stage.kube.timeouts.wait_until(f"pods may have the class {name}", patient(asked), timeout=10, interval=0.1)
        yield name
    finally:
        with suppress(client.exceptions.NotFoundException):
            classes.delete_priority_class(name)


@pytest.fixture(scope="module")
def scene(stage: Stage, pg_topology: Topology) -> Iterator[Scene]:
    """A worker whose seats are taken; it is as before afterwards."""
    worker = pg_topology.group("kube_worker")[0].name
    with ExitStack() as stack:
        classes = {value: stack.enter_context(priority_class(stage, value)) for value in (LOWEST, LOW, HIGH)}
        stack.enter_context(offering(stage.kube, worker, {SEAT: 2, GUARDED_SEAT: 2}))
        scene = Scene(stage, worker, classes)
        stage.create(
            scene.manifest("lowest", LOWEST, SEAT),
            scene.manifest("low", LOW, SEAT),
            scene.manifest("guarded", LOWEST, GUARDED_SEAT),
            scene.manifest("unguarded", LOW, GUARDED_SEAT),
        )
        stage.node_of("lowest", "low", "guarded", "unguarded")
        yield scene
        stage.kube.core.delete_collection_namespaced_pod(stage.namespace, grace_period_seconds=0)


@pytest.mark.order(126)
def test_a_pod_of_the_same_priority_takes_nobodys_place_and_stays_pending(scene: Scene) -> None:
    scene.stage.create(scene.manifest("equal", LOWEST, SEAT))
    scene.stage.refused("equal", f"Insufficient {SEAT}", NO_WAY)
    assert scene.stage.node_of("lowest", "low") == [scene.worker] * 2


@pytest.mark.order(127)
def test_a_pod_that_never_preempts_stays_pending(scene: Scene) -> None:
    with priority_class(scene.stage, HIGH + 1, preemptionPolicy="Never") as name:
        scene.classes[HIGH + 1] = name
        scene.stage.create(scene.manifest("polite", HIGH + 1, SEAT))
        scene.stage.refused("polite", f"Insufficient {SEAT}")
        scene.stage.kube.core.delete_namespaced_pod("polite", scene.stage.namespace, grace_period_seconds=0)
    assert scene.stage.node_of("lowest", "low") == [scene.worker] * 2


@pytest.mark.order(128)
def test_only_the_lowest_makes_room_for_a_higher_priority(scene: Scene) -> None:
    scene.stage.create(scene.manifest("high", HIGH, SEAT))
    scene.left("lowest")
    assert scene.stage.node_of("high", "low") == [scene.worker] * 2


@pytest.mark.order(128)
def test_a_budget_is_respected_where_there_is_another_way(scene: Scene) -> None:
    """Without the budget the guarded pod, whose priority is the lowest, would be the one that goes."""
    with budget(scene.stage, "guarded"):
        scene.stage.create(scene.manifest("high-beside-guarded", HIGH, GUARDED_SEAT))
        scene.left("unguarded")
        assert scene.stage.node_of("high-beside-guarded", "guarded") == [scene.worker] * 2


@contextmanager
def budget(stage: Stage, name: str) -> Iterator[None]:
    """A budget that allows no disruption of this pod, for the length of the context."""
    from kubernetes import client

    policy = client.PolicyV1Api(stage.kube.api_client())
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"is": name}}}
    policy.create_namespaced_pod_disruption_budget(stage.namespace, {"metadata": {"name": name}, "spec": spec})

    def counted() -> None:
        status = policy.read_namespaced_pod_disruption_budget(name, stage.namespace).status
        if (status.current_healthy, status.disruptions_allowed) != (1, 0):
            raise NotReady(f"healthy: {status.current_healthy}, disruptions allowed: {status.disruptions_allowed}")

    try:
        stage.kube.timeouts.wait_until(f"the budget of {name} allows no disruption", counted, timeout=20, interval=0.2)
        yield
    finally:
        policy.delete_namespaced_pod_disruption_budget(name, stage.namespace)
