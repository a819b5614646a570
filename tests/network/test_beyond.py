"""Ways into and out of the pod network: pods' ports on their nodes, hosts beyond the cluster, large packets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.mesh import Mesh
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.policies.scene import Port
from proving_ground.kubernetes.probes import PORTS, Probes
from proving_ground.kubernetes.reachability import NewTable, Outcome
from proving_ground.machines.hosts import Hosts
from proving_ground.machines.node_facts import ip

pytestmark = [
    pytest.mark.order(85),
    pytest.mark.role("configure/kube-node", "configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("mesh"),
]

KNOWN_WITHIN = 10
"""Seconds in which a node has to open a pod's port, and to close it again."""
HOST_PORT = 28443
MANY_PACKETS = 64 * 1024
"""Bytes: some fifty packets each way."""


class WhoAsks(BaseHTTPRequestHandler):
    """Answers with the client's address, as probes do."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def server_on_the_controller(address: str) -> Iterator[int]:
    """Serve on the controller, a host that knows no way to pods; yield the port."""
    server = ThreadingHTTPServer((address, 0), WhoAsks)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_hosts_beyond_the_cluster_see_the_nodes_address_of_pods(
    mesh: Mesh, pg_topology: Topology, pg_reachability: NewTable
) -> None:
    controller = str(pg_topology.networks["machines"][1])
    table = pg_reachability("pods and nodes reach a host beyond the cluster")
    for source in (*mesh.pods, *mesh.nodes):
        table.expect(source.name, "a server there", Outcome.CONNECTED, [str(pg_topology.node(source.node).address)])
        table.expect(source.name, "a closed port there", Outcome.BLOCKED, answers=["refused"])
    with server_on_the_controller(controller) as closed:
        pass
    with server_on_the_controller(controller) as port:
        targets = {"a server there": f"{controller}:{port}", "a closed port there": f"{controller}:{closed}"}
        table.check(mesh.probes.prober(targets))


def test_port_of_a_pod_on_its_node_answers_there_alone_and_no_longer_than_the_pod_lives(
    mesh: Mesh, probes: Probes, pg_kube: Kube, pg_namespace: str, pg_topology: Topology, pg_reachability: NewTable
) -> None:
    here = pg_topology.group("kube_worker")[-1]
    manifest = probes.manifest("host-port", here.name, ports=[Port(PORTS[0])])
    manifest["spec"]["containers"][0]["ports"][0]["hostPort"] = HOST_PORT
    probes.start({pg_namespace: [manifest]})
    nodes = kubernetes_nodes(pg_topology)
    prober = probes.prober({node.name: f"{node.address}:{HOST_PORT}" for node in nodes})

    table = pg_reachability("the port of a pod on its node")
    for source in (*mesh.pods, *mesh.nodes):
        for node in nodes:
            table.expect(source.name, node.name, Outcome.CONNECTED if node == here else Outcome.BLOCKED)
    table.wait(prober, timeout=KNOWN_WITHIN)

    pg_kube.core.delete_namespaced_pod("host-port", pg_namespace, grace_period_seconds=0)
    gone = pg_reachability("the port of a pod that is gone")
    for source in (*mesh.pods, *mesh.nodes):
        gone.expect(source.name, here.name, Outcome.BLOCKED)
    gone.wait(prober, timeout=KNOWN_WITHIN)


def test_large_packets_arrive_both_ways_between_all_pods_and_from_nodes(
    mesh: Mesh, pg_hosts: Hosts, pg_topology: Topology
) -> None:
    (link,) = ip(pg_hosts[pg_topology.group("kube_master")[0].name], "link", "show", "dev", "flannel.1")
    whole = link["mtu"]
    lost, smaller = {}, {}
    for source in (*mesh.pods, *mesh.nodes):
        for target, cargo in mesh.probes.carry(source.name, mesh.by_address(), MANY_PACKETS).items():
            if cargo.outcome is not Outcome.CONNECTED:
                lost[source.name, target] = cargo.reason
            elif cargo.path_mtu != whole and source.name != target:
                smaller[source.name, target] = cargo.path_mtu
    assert lost == {}
    assert smaller == {}, f"the way between pods takes packets of {whole} bytes"
