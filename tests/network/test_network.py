"""The pod network: every pod reaches every pod, nodes reach pods and pods nodes, and nobody's address is rewritten."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from testinfra.host import Host

from fixtures.etcd import Etcd
from fixtures.mesh import Mesh
from fixtures.node_health import is_well
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import ready, state, static_pod, wait_for_pods
from proving_ground.kubernetes.reachability import NewTable, Outcome, Prober, Reachability
from proving_ground.machines.hosts import Hosts
from proving_ground.machines.node_facts import addresses

pytestmark = [
    pytest.mark.order(80),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("mesh"),
]

WAYS = ["by_address", "by_service", pytest.param("by_name", marks=pytest.mark.role("configure/kube-components"))]
SERVICE_TIMEOUT = 10
"""Seconds in which every node has to know that the pod behind a service is ready: kube-proxy follows the API."""


@pytest.mark.smoke
@pytest.mark.order(71)  # before the tests of what stands on it
@pytest.mark.hosts("kube_master", "kube_worker")
def test_calico_node_is_ready(pg_node: Node, pg_kube: Kube) -> None:
    pod = static_pod(pg_kube, "calico-node", pg_node.name)
    assert ready(pod), state(pod)


@pytest.mark.order(71)
@pytest.mark.parametrize(
    ("daemon", "port", "path"), [("calico-node", 9099, "/readiness"), ("kube-proxy", 10256, "/livez")]
)
@pytest.mark.hosts("kube_master", "kube_worker")
def test_daemon_of_the_network_answers(host: Host, pg_timeouts: Timeouts, daemon: str, port: int, path: str) -> None:
    trouble = is_well(host, port, path, pg_timeouts)
    assert trouble == "", f"{daemon} does not say at port {port} that it is well"


@pytest.mark.order(71)
def test_calico_controllers_are_available(pg_kube: Kube) -> None:
    deployment = pg_kube.apps.read_namespaced_deployment("calico-kube-controllers", "kube-system")
    assert deployment.spec.replicas >= 1, "Calico's controllers are scaled to nothing"
    assert deployment.status.available_replicas == deployment.spec.replicas


def test_calico_controllers_are_ready_as_long_as_they_say_so(pg_kube: Kube) -> None:
    (pod,) = wait_for_pods(pg_kube, "kube-system", 1, selector="k8s-app=calico-kube-controllers")
    (container,) = pod.spec.containers
    command = container.readiness_probe._exec.command
    said = pg_kube.execute("kube-system", pod.metadata.name, command)
    assert (said.exit_code, said.stdout.strip()) == (0, "Ready")
    silent = pg_kube.execute("kube-system", pod.metadata.name, [*command, "-f", "/status/nothing.json"])
    assert silent.exit_code != 0, "it says that it is ready where nothing says so"


def test_pod_addresses_lie_in_the_subnet_of_their_node(mesh: Mesh, etcd: Etcd, pg_kube: Kube) -> None:
    subnets = {str(lease.address): lease.subnet for lease in etcd.leases()}
    pods = [
        pod
        for pod in pg_kube.core.list_pod_for_all_namespaces().items
        if not pod.spec.host_network and pod.status.pod_ip and pod.status.phase == "Running"
    ]
    assert {pod.name for pod in mesh.pods} <= {pod.metadata.name for pod in pods}
    astray = [
        f"{state(pod)}: {pod.status.pod_ip} is not in {subnets[pod.status.host_ip]}"
        for pod in pods
        if IPv4Address(pod.status.pod_ip) not in subnets[pod.status.host_ip]
    ]
    assert astray == []


@pytest.mark.parametrize("way", WAYS)
def test_every_pod_reaches_every_pod_without_nat(mesh: Mesh, pg_reachability: NewTable, way: str) -> None:
    table = pg_reachability(f"pods reach pods {way.replace('_', ' ')}")
    targets = getattr(mesh, way)()
    for source in mesh.pods:
        for target in targets:
            # Only a pod that calls itself through its service has to be rewritten, or the answer would bypass it.
            rewritten = way != "by_address" and target == source.name
            table.expect(source.name, target, Outcome.CONNECTED, () if rewritten else [source.address])
    holds(table, mesh.probes.prober(targets), way)


@pytest.mark.parametrize("way", ["by_address", "by_service"])
def test_every_node_reaches_every_pod_without_nat(
    mesh: Mesh, pg_hosts: Hosts, pg_reachability: NewTable, way: str
) -> None:
    table = pg_reachability(f"nodes reach pods {way.replace('_', ' ')}")
    targets = getattr(mesh, way)()
    for source in mesh.nodes:
        own = addresses(pg_hosts[source.node])
        for target in targets:
            table.expect(source.name, target, Outcome.CONNECTED, own)
    holds(table, mesh.probes.prober(targets), way)


def holds(table: Reachability, prober: Prober, way: str) -> None:
    """A ready pod answers at its address now; by service and by name soon."""
    if way == "by_address":
        table.check(prober)
    else:
        table.wait(prober, timeout=SERVICE_TIMEOUT)


def test_every_pod_reaches_every_node_without_nat(mesh: Mesh, pg_reachability: NewTable) -> None:
    table = pg_reachability("pods reach nodes")
    targets = mesh.node_addresses()
    for source in mesh.pods:
        for target in targets:
            table.expect(source.name, target, Outcome.CONNECTED, [source.address])
    table.check(mesh.probes.prober(targets))


@pytest.mark.smoke
def test_pods_on_different_nodes_reach_each_other(mesh: Mesh, pg_reachability: NewTable) -> None:
    first, last = mesh.pods[0], mesh.pods[-1]
    table = pg_reachability("the first and the last pod")
    targets = mesh.by_address()
    table.expect(first.name, last.name, Outcome.CONNECTED, [first.address])
    table.expect(last.name, first.name, Outcome.CONNECTED, [last.address])
    table.check(mesh.probes.prober(targets))
