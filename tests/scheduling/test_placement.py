"""Where the scheduler places pods: labels of nodes, other pods, spread, room; and what fits nowhere stays Pending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.cluster_nodes import only_masters
from fixtures.scheduling import HOSTNAME, OWN, Stage, labelled, offering, on_node, seats, workers
from proving_ground.core.topology import Topology

pytestmark = [
    pytest.mark.order(125),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("scheduling"),
]

DISK, SEAT = f"{OWN}/disk", f"{OWN}/seat"
NO_SUCH_LABEL = "didn't match Pod's node affinity/selector"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True)
class Scene:
    """All pods of this module but those of its first test, created at once.

    Attributes:
        stage: their namespace.
        workers: the workers' names.
        chosen: the worker with the label ``disk=fast``, two seats, and the pod that others want to be beside.
        masters: names of masters that take no ordinary pods.
    """

    stage: Stage
    workers: tuple[str, ...]
    chosen: str
    masters: tuple[str, ...]


def near(label: str, kind: str) -> dict[str, Any]:
    """Affinity, or anti-affinity, to pods with this label, node by node."""
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"is": label}}}
    return {kind: {REQUIRED: [term]}}


def spread(label: str, honor_taints: bool) -> dict[str, Any]:
    """Pods with this label are spread over nodes: no node has two more of them than another."""
    return {
        "maxSkew": 1,
        "topologyKey": HOSTNAME,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"is": label}},
        "nodeTaintsPolicy": "Honor" if honor_taints else "Ignore",
    }


def manifests(stage: Stage, names: list[str], chosen: str) -> Iterator[dict[str, Any]]:
    """The pods of all tests, those first to which others refer."""
    yield stage.manifest("anchor", labels={"is": "anchor"}, affinity=on_node(chosen))
    yield stage.manifest("unlabelled", affinity=on_node("slow", key=DISK))
    yield stage.manifest("beside", affinity=near("anchor", "podAffinity"))
    yield stage.manifest("beside-nobody", affinity=near("nobody", "podAffinity"))
    for number in range(len(names) + 1):
        yield stage.manifest(
            f"loner-{number}", labels={"is": "loner"}, affinity=near("loner", "podAntiAffinity") | on_node(*names)
        )
    for number in range(2 * len(names)):
        constraints = [spread("even", honor_taints=True)]
        yield stage.manifest(f"even-{number}", labels={"is": "even"}, topologySpreadConstraints=constraints)
    for number in range(len(names) + 1):
        constraints = [spread("counted", honor_taints=False)]
        yield stage.manifest(f"counted-{number}", labels={"is": "counted"}, topologySpreadConstraints=constraints)
    for number in range(3):
        yield stage.manifest(f"seated-{number}", resources=seats(SEAT))
    yield stage.manifest("too-many-processors", resources={"requests": {"cpu": "1000"}})
    yield stage.manifest("too-much-memory", resources={"requests": {"memory": "100Ti"}})


@pytest.fixture(scope="module")
def chosen(stage: Stage, pg_topology: Topology) -> Iterator[str]:
    """The last worker, with a label and two seats; it is as before afterwards."""
    name = pg_topology.group("kube_worker")[-1].name
    with labelled(stage.kube, name, DISK, "fast"), offering(stage.kube, name, {SEAT: 2}):
        yield name


@pytest.fixture(scope="module")
def scene(stage: Stage, chosen: str, pg_topology: Topology) -> Iterator[Scene]:
    """The pods of all tests but the first."""
    names = [node.name for node in pg_topology.group("kube_worker")]
    stage.create(*manifests(stage, names, chosen))
    masters = tuple(node.name for node in only_masters(pg_topology))
    yield Scene(stage, tuple(names), chosen, masters)
    stage.kube.core.delete_collection_namespaced_pod(stage.namespace, grace_period_seconds=0)


@pytest.mark.smoke
def test_node_affinity_and_selector_choose_the_node_with_the_label(stage: Stage, chosen: str) -> None:
    stage.create(
        stage.manifest("labelled", affinity=on_node("fast", key=DISK)),
        stage.manifest("selecting", nodeSelector={DISK: "fast"}),
    )
    assert stage.node_of("labelled", "selecting") == [chosen] * 2


def test_node_affinity_to_a_label_that_no_node_has_keeps_a_pod_pending(scene: Scene) -> None:
    scene.stage.refused("unlabelled", NO_SUCH_LABEL)


def test_pod_affinity_chooses_the_node_of_the_other_pod(scene: Scene) -> None:
    assert scene.stage.node_of("anchor", "beside") == [scene.chosen] * 2


def test_pod_affinity_to_a_pod_that_is_nowhere_keeps_a_pod_pending(scene: Scene) -> None:
    scene.stage.refused("beside-nobody", "didn't match pod affinity rules")


def test_pod_anti_affinity_gives_each_pod_a_node_and_keeps_one_too_many_pending(scene: Scene) -> None:
    nodes, left = scene.stage.all_but_one(*(f"loner-{number}" for number in range(len(scene.workers) + 1)))
    assert sorted(nodes) == sorted(scene.workers)
    scene.stage.refused(left, "didn't match pod anti-affinity rules")


def test_spread_is_even_and_does_not_count_the_tainted_master(scene: Scene) -> None:
    workers(scene.workers, least=2)
    nodes = scene.stage.node_of(*(f"even-{number}" for number in range(2 * len(scene.workers))))
    assert Counter(nodes) == dict.fromkeys(scene.workers, 2)


def test_spread_that_counts_the_tainted_master_keeps_one_too_many_pending(scene: Scene) -> None:
    if not scene.masters:
        pytest.skip("the rule needs a master that takes no pods, the topology has none")
    nodes, left = scene.stage.all_but_one(*(f"counted-{number}" for number in range(len(scene.workers) + 1)))
    assert sorted(nodes) == sorted(scene.workers)
    scene.stage.refused(left, "didn't match pod topology spread constraints")


def test_a_resource_is_given_as_often_as_the_node_has_it_and_keeps_one_too_many_pending(scene: Scene) -> None:
    nodes, left = scene.stage.all_but_one(*(f"seated-{number}" for number in range(3)))
    assert nodes == [scene.chosen] * 2
    scene.stage.refused(left, f"Insufficient {SEAT}")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("too-many-processors", "Insufficient cpu"), ("too-much-memory", "Insufficient memory")],
)
def test_a_pod_that_is_larger_than_every_node_stays_pending(scene: Scene, name: str, reason: str) -> None:
    scene.stage.refused(name, reason)
