"""Many simulated nodes beside the real ones: none counts for a real one, the API stays quick, no trace is left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

import pytest

from fixtures.cluster_nodes import kubernetes_nodes, only_masters
from fixtures.etcd import Etcd
from fixtures.scale import Measured
from fixtures.scheduling import Stage
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes.daemon_sets import that_want
from proving_ground.kubernetes.simulated_nodes.fixtures import SimulatedNodes
from proving_ground.kubernetes.simulated_nodes.latencies import measure_writes
from proving_ground.kubernetes.simulated_nodes.manifests import TOLERATION

pytestmark = [
    pytest.mark.scale,
    # After all others, which have the nodes beside them; the last one here removes the nodes.
    pytest.mark.order(994),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("scale"),
]

READY_WITHIN, REMOVED_WITHIN = 120, 90
"""Seconds."""

WRITTEN_WITHIN = 1000
"""Milliseconds that 99 % of the writes take at most."""

CLIENTS, WRITING_SECONDS = 4, 30
RENEWED_EVERY = 10
"""Seconds after which a node renews its lease."""

PODS_SECONDS = 240
"""Seconds in which the pods of the crowd have to be ready: the controller manager makes some 20 in a second."""


@pytest.fixture(scope="module")
def crowd(stage: Stage, pg_simulated_nodes: SimulatedNodes) -> str:
    """The name of a Deployment with a pod for each simulated node, all of them ready."""
    name, labels = "crowd", {"app": "crowd"}
    pod = stage.manifest(name, labels=labels, nodeSelector={"type": "kwok"}, tolerations=[TOLERATION])
    spec: dict[str, Any] = {
        "replicas": len(pg_simulated_nodes.names),
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod["spec"]},
    }
    stage.kube.apps.create_namespaced_deployment(stage.namespace, {"metadata": {"name": name}, "spec": spec})

    def available() -> None:
        status = stage.kube.apps.read_namespaced_deployment(name, stage.namespace).status
        if (status.available_replicas or 0) < spec["replicas"]:
            raise NotReady(f"{status.available_replicas or 0} of {spec['replicas']} pods are available")

    stage.kube.timeouts.wait_until(f"{name} is available", available, timeout=PODS_SECONDS, interval=2)
    return name


def everything(response: Any) -> list[dict[str, Any]]:
    """The objects of a list, as JSON."""
    return list(json.loads(response.data)["items"])


def all_nodes(kube: Kube) -> dict[str, dict[str, Any]]:
    """All nodes by name, as JSON."""
    return {each["metadata"]["name"]: each for each in everything(kube.core.list_node(_preload_content=False))}


def pods(stage: Stage, selector: str) -> list[dict[str, Any]]:
    """The pods with these labels, as JSON."""
    return everything(
        stage.kube.core.list_namespaced_pod(stage.namespace, label_selector=selector, _preload_content=False)
    )


def conditions(node: Mapping[str, Any]) -> dict[str, str]:
    """A node's conditions."""
    return {each["type"]: each["status"] for each in node["status"]["conditions"]}


def test_all_are_ready_in_time(pg_simulated_nodes: SimulatedNodes, pg_kube: Kube, measured: Measured) -> None:
    measured("simulated nodes", len(pg_simulated_nodes.names))
    measured("seconds until all are Ready", round(pg_simulated_nodes.ready_seconds, 1), READY_WITHIN)
    found = all_nodes(pg_kube)
    ready_ones = [name for name in pg_simulated_nodes.names if conditions(found[name])["Ready"] == "True"]
    assert ready_ones == pg_simulated_nodes.names
    assert 0 < pg_simulated_nodes.ready_seconds <= pg_kube.timeouts.seconds(READY_WITHIN)


def test_real_nodes_are_those_that_are_planned_and_ready(
    pg_simulated_nodes: SimulatedNodes, pg_kube: Kube, pg_topology: Topology
) -> None:
    planned = {node.name for node in kubernetes_nodes(pg_topology)}
    found = all_nodes(pg_kube)
    assert set(found) == planned | {*pg_simulated_nodes.names}
    assert {node.metadata.name for node in pg_kube.nodes()} == planned
    assert {name: conditions(found[name])["Ready"] for name in planned} == dict.fromkeys(planned, "True")
    # Enough lost nodes of a zone stop evictions from all others in it.
    zones = {name: each["metadata"]["labels"].get("topology.kubernetes.io/zone") for name, each in found.items()}
    assert {zones[name] for name in planned} & {zones[name] for name in pg_simulated_nodes.names} == set()


def test_every_simulated_node_has_room_for_pods_that_no_other_node_has(
    pg_simulated_nodes: SimulatedNodes, pg_kube: Kube, pg_topology: Topology, etcd: Etcd
) -> None:
    found = all_nodes(pg_kube)
    room = [IPv4Network(found[name]["spec"]["podCIDR"]) for name in pg_simulated_nodes.names]
    assert len({*room}) == len(room)
    assert {"machines", "pods", "services"} <= {*pg_topology.networks}
    assert [each for each in room if any(each.overlaps(other) for other in pg_topology.networks.values())] == []
    assert {lease.address for lease in etcd.leases()} == {node.address for node in kubernetes_nodes(pg_topology)}, (
        "flannel gives subnets to real nodes alone"
    )


def test_nobody_is_told_an_address_of_a_simulated_node(pg_simulated_nodes: SimulatedNodes, pg_kube: Kube) -> None:
    found = all_nodes(pg_kube)
    assert {name for name in found if found[name]["status"].get("addresses")} == {*found} - {*pg_simulated_nodes.names}


def test_pods_that_ask_for_simulated_nodes_run_there(
    crowd: str, stage: Stage, pg_simulated_nodes: SimulatedNodes, measured: Measured
) -> None:
    found = pods(stage, f"app={crowd}")
    assert len(found) == len(pg_simulated_nodes.names)
    assert {each["spec"]["nodeName"] for each in found} <= {*pg_simulated_nodes.names}
    room = {
        name: IPv4Network(each["spec"]["podCIDR"])
        for name, each in all_nodes(stage.kube).items()
        if each["spec"].get("podCIDR")
    }
    addresses = Counter(each["status"]["podIP"] for each in found)
    assert max(addresses.values()) == 1, addresses.most_common(3)
    outside = [
        each["metadata"]["name"]
        for each in found
        if not IPv4Network(each["status"]["podIP"]).subnet_of(room[each["spec"]["nodeName"]])
    ]
    assert outside == []
    measured("simulated pods", len(found))


def test_pods_that_do_not_ask_for_simulated_nodes_run_on_real_ones(
    stage: Stage, pg_simulated_nodes: SimulatedNodes
) -> None:
    """The scheduler sees hundreds of empty nodes, and may use none of them."""
    names = [f"ordinary-{each}" for each in range(8)]
    stage.create(*(stage.manifest(name) for name in names))
    assert {*stage.node_of(*names)} & {*pg_simulated_nodes.names} == set()


def daemon_set(stage: Stage, name: str, **pod: Any) -> dict[str, Any]:
    """Make a DaemonSet, and return it as JSON when its controller has counted its nodes."""
    labels = {"app": name}
    spec = {**stage.manifest(name)["spec"], **pod}
    body = {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }
    stage.kube.apps.create_namespaced_daemon_set(stage.namespace, body)

    def counted() -> dict[str, Any]:
        read = stage.kube.apps.read_namespaced_daemon_set(name, stage.namespace, _preload_content=False)
        found: dict[str, Any] = json.loads(read.data)
        status = found["status"]
        if status.get("observedGeneration") != 1 or status.get("numberReady", 0) < status["desiredNumberScheduled"]:
            raise NotReady(f"{status.get('numberReady', 0)} of {status['desiredNumberScheduled']} are ready")
        if not status["desiredNumberScheduled"]:
            raise NotReady("it wants no node yet")
        return found

    return stage.kube.timeouts.wait_until(f"DaemonSet {name} is ready", counted, timeout=60, interval=0.5)


def test_no_daemon_set_counts_a_simulated_node(
    stage: Stage, pg_simulated_nodes: SimulatedNodes, pg_topology: Topology
) -> None:
    every = [{"operator": "Exists"}]
    terms = [{"matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["kwok"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    real, masters = kubernetes_nodes(pg_topology), only_masters(pg_topology)
    ordinary = daemon_set(stage, "ordinary")
    assert ordinary["status"]["desiredNumberScheduled"] == len(real) - len(masters)
    agent = daemon_set(stage, "agent", tolerations=every, affinity={"nodeAffinity": required})
    assert agent["status"]["desiredNumberScheduled"] == len(real)
    one = pg_simulated_nodes.names[0]
    tolerant = daemon_set(stage, "tolerant", tolerations=every, nodeSelector={"kubernetes.io/hostname": one})
    assert tolerant["status"]["desiredNumberScheduled"] == 1, "one that tolerates everything is what this is about"

    node = all_nodes(stage.kube)[one]
    found = everything(stage.kube.apps.list_daemon_set_for_all_namespaces(_preload_content=False))
    assert that_want(found, node) == [f"{stage.namespace}/tolerant"]
    stage.kube.apps.delete_namespaced_daemon_set("tolerant", stage.namespace)


def test_no_service_of_the_cluster_leads_to_a_simulated_node(stage: Stage, pg_simulated_nodes: SimulatedNodes) -> None:
    from kubernetes import client

    name, labels, simulated = "served", {"app": "served"}, {*pg_simulated_nodes.names}
    stage.create(stage.manifest(name, labels=labels, nodeSelector={"type": "kwok"}, tolerations=[TOLERATION]))
    spec = {"selector": labels, "ports": [{"port": 80}]}
    stage.kube.core.create_namespaced_service(stage.namespace, {"metadata": {"name": name}, "spec": spec})
    discovery = client.DiscoveryV1Api(stage.kube.api_client())

    def led() -> set[tuple[str, str]]:
        slices = everything(discovery.list_endpoint_slice_for_all_namespaces(_preload_content=False))
        found = {
            (each["metadata"]["namespace"], each["metadata"]["labels"]["kubernetes.io/service-name"])
            for each in slices
            for endpoint in each.get("endpoints") or ()
            if endpoint.get("nodeName") in simulated
        }
        if (stage.namespace, name) not in found:
            raise NotReady("not even the service of a pod there does")
        return found

    what = "the service of a pod on a simulated node leads there"
    assert stage.kube.timeouts.wait_until(what, led, timeout=60, interval=0.5) == {(stage.namespace, name)}


def renewals(kube: Kube) -> dict[str, datetime]:
    """When each node has renewed its lease."""
    from kubernetes import client

    leases = client.CoordinationV1Api(kube.api_client()).list_namespaced_lease(
        "kube-node-lease", _preload_content=False
    )
    return {each["metadata"]["name"]: datetime.fromisoformat(each["spec"]["renewTime"]) for each in everything(leases)}


def test_writes_are_quick_while_all_nodes_renew_their_leases(
    stage: Stage, pg_simulated_nodes: SimulatedNodes, measured: Measured
) -> None:
    before = renewals(stage.kube)
    seconds = stage.kube.timeouts.seconds(WRITING_SECONDS)
    found = measure_writes(stage.kube, stage.namespace, clients=CLIENTS, seconds=seconds)
    after = renewals(stage.kube)
    for name, value in found.facts.items():
        measured(f"writes: {name}", value, WRITTEN_WITHIN if name == "milliseconds p99" else None)
    late = [name for name in pg_simulated_nodes.names if after[name] <= before[name]]
    assert late == [], f"they have not renewed their leases for {seconds:.0f} s"
    assert found.percentile(99) <= stage.kube.timeouts.seconds(WRITTEN_WITHIN), found.facts


def orphan(stage: Stage, deployment: str) -> None:
    """Delete a Deployment and leave its pods: nobody makes others in their place when their nodes are removed."""
    apps = stage.kube.apps
    apps.delete_namespaced_deployment(deployment, stage.namespace, propagation_policy="Orphan")

    def released() -> None:
        left = everything(apps.list_namespaced_replica_set(stage.namespace, _preload_content=False))
        for each in left:
            if not each["metadata"].get("deletionTimestamp") and not each["metadata"].get("ownerReferences"):
                name = each["metadata"]["name"]
                apps.delete_namespaced_replica_set(name, stage.namespace, propagation_policy="Orphan")
        if left:
            raise NotReady(f"{len(left)} ReplicaSets are there")

    # The collector of garbage changes every pod.
    stage.kube.timeouts.wait_until(f"{deployment}'s pods belong to nobody", released, timeout=PODS_SECONDS, interval=1)


@pytest.mark.order(995)
def test_nothing_of_them_is_left(
    crowd: str,
    stage: Stage,
    pg_simulated_nodes: SimulatedNodes,
    pg_topology: Topology,
    etcd: Etcd,
    measured: Measured,
) -> None:
    simulation = pg_simulated_nodes.simulation
    orphan(stage, crowd)
    traces = simulation.traces
    kinds = {kind for kind, _, _ in traces.found()}
    assert {"Node", "Pod", "Lease"} <= kinds, "they are found while they are there"
    assert simulation.controller.is_alive
    seconds = simulation.remove()
    measured("seconds until nothing is left", round(seconds, 1), REMOVED_WITHIN)
    assert traces.found() == []
    assert not simulation.controller.is_alive
    assert set(all_nodes(stage.kube)) == {node.name for node in kubernetes_nodes(pg_topology)}
    assert len(etcd.leases()) == len(kubernetes_nodes(pg_topology))
    assert seconds <= stage.kube.timeouts.seconds(REMOVED_WITHIN)
