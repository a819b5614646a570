"""Addresses of the pods' and services' networks that nothing has: a node refuses packets to them, and lets none out."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from fixtures.etcd import Etcd
from fixtures.mesh import Mesh
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.reachability import NewTable, Outcome

pytestmark = [
    pytest.mark.order(83),
    pytest.mark.role("configure/kube-node", "configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("mesh"),
]

REFUSED_WITHIN = 15
"""Seconds. A kernel answers one client with only a few errors a second, so that a single silence says nothing."""
ANSWER_MS = 3500
"""Milliseconds for three packets of a client, sent after 0, 1 and 3 s: its kernel ignores an answer that is there
before the call that sent the packet has ended, as it may be where client and node share a kernel."""
REFUSED = ("refused", "rejected")
"""What a client sees of a firewall that rejects: ``rejected`` if it is the client's own host."""
UNREACHABLE = ("host unreachable",)
"""What a client sees of a host that says that there is no such pod."""


def last_free(network: IPv4Network, taken: set[str]) -> IPv4Address:
    """Return the highest address of a network that nothing has; the broadcast address is none."""
    return next(
        address
        for address in map(IPv4Address, range(int(network.broadcast_address) - 1, int(network.network_address), -1))
        if str(address) not in taken
    )


def test_services_addresses_and_ports_that_nothing_has_are_refused(
    mesh: Mesh, pg_kube: Kube, pg_topology: Topology, pg_reachability: NewTable
) -> None:
    services = pg_topology.networks["services"]
    taken = {service.spec.cluster_ip for service in pg_kube.core.list_service_for_all_namespaces().items}
    free, api = last_free(services, taken), services[1]
    targets = {
        "the API": f"{api}:443",
        "a port that the API lacks": f"{api}:444",
        "a free address": f"{free}:443",
        "a free address by UDP": f"udp:{free}:53",
    }
    table = pg_reachability("services' addresses")
    for source in (*mesh.pods, *mesh.nodes):
        table.expect(source.name, "the API", Outcome.CONNECTED)
        for target in list(targets)[1:]:
            table.expect(source.name, target, Outcome.BLOCKED, answers=REFUSED)
    table.wait(mesh.probes.prober(targets, ANSWER_MS), timeout=REFUSED_WITHIN)


def test_pods_addresses_that_no_pod_has_are_refused(
    mesh: Mesh, etcd: Etcd, pg_kube: Kube, pg_topology: Topology, pg_reachability: NewTable
) -> None:
    leases = {str(lease.address): lease.subnet for lease in etcd.leases()}
    used = {pod.status.pod_ip for pod in pg_kube.core.list_pod_for_all_namespaces().items}
    nobodys = next(
        subnet
        for subnet in pg_topology.networks["pods"].subnets(new_prefix=24)
        if not any(subnet.overlaps(lease) for lease in leases.values())
    )
    targets = {"a subnet that no node has": f"{nobodys[9]}:80"} | {
        f"a free address on {node.node}": f"{last_free(leases[node.address], used)}:80" for node in mesh.nodes
    }
    table = pg_reachability("pods' addresses")
    for source in (*mesh.pods, *mesh.nodes):
        for target in targets:
            table.expect(source.name, target, Outcome.BLOCKED, answers=UNREACHABLE)
        table.expect(source.name, "a pod", Outcome.CONNECTED)
    prober = mesh.probes.prober(targets | {"a pod": mesh.by_address()[mesh.pods[-1].name]}, ANSWER_MS)
    table.wait(prober, timeout=REFUSED_WITHIN)
