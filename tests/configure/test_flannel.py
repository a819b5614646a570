"""flannel: the daemon, a lease for each node, and the interface, MTU, neighbours and routes that follow from it."""

from __future__ import annotations

import itertools
import json

import pytest
from testinfra.host import Host

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.etcd import Etcd, Lease
from proving_ground.core.topology import Node, Topology
from proving_ground.machines.node_facts import ip, unit_state

pytestmark = [pytest.mark.order(50), pytest.mark.role("configure/kube-node", "configure/kube-master")]

every_kubernetes_node = pytest.mark.hosts("kube_master", "kube_worker")
INTERFACE = "flannel.1"
VXLAN_OVERHEAD = 50
"""Bytes that VXLAN, UDP, IP and Ethernet put around each packet."""
UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"
"""systemd's message id for a unit that has come up."""


@pytest.fixture
def leases(etcd: Etcd) -> dict[str, Lease]:
    """Node's address → its lease."""
    return {str(lease.address): lease for lease in etcd.leases()}


def lease_of(node: Node, leases: dict[str, Lease]) -> Lease:
    assert str(node.address) in leases, f"{node.name} has no lease; leases are there for {sorted(leases)}"
    return leases[str(node.address)]


@pytest.mark.smoke
@every_kubernetes_node
def test_flannel_daemon_runs(host: Host) -> None:
    assert unit_state(host, "flanneld.service") == "active (running)"


JOURNAL_BEGINS = 60
"""Seconds after the machine's start by which its journal has begun, if nothing of it has been removed."""


def first_start(host: Host, unit: str) -> int:
    """Microseconds after boot at which systemd first had the unit up; skips if the journal begins later."""
    words = "stat --format=%Y /proc/1 && journalctl --boot --output=short-unix --no-pager | head -n 1 | cut -d ' ' -f 1"
    began, oldest = map(float, host.check_output(words).split())
    if oldest > began + JOURNAL_BEGINS:
        pytest.skip("the journal of the machine's start is gone: it keeps so much and no more")
    words = f"journalctl --boot --output=json --lines=all MESSAGE_ID={UNIT_STARTED} UNIT={unit}"
    lines = host.check_output(words).splitlines()
    assert lines, f"the journal does not say when {unit} started"
    return min(int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) for line in lines)


@every_kubernetes_node
def test_container_runtime_started_only_after_flannel(host: Host) -> None:
    assert first_start(host, "flanneld.service") < first_start(host, "containerd.service")


def test_flannel_has_given_a_lease_to_every_node_and_to_nobody_else(etcd: Etcd, pg_topology: Topology) -> None:
    holders = sorted(str(lease.address) for lease in etcd.leases())
    assert holders == sorted(str(node.address) for node in kubernetes_nodes(pg_topology))


def test_flannel_leases_lie_in_the_pod_network_and_do_not_overlap(etcd: Etcd, pg_topology: Topology) -> None:
    leases = etcd.leases()
    assert leases, "there are no leases"
    assert [lease for lease in leases if not lease.subnet.subnet_of(pg_topology.networks["pods"])] == []
    assert [pair for pair in itertools.combinations(leases, 2) if pair[0].subnet.overlaps(pair[1].subnet)] == []
    assert {lease.backend for lease in leases} == {"vxlan"}


@every_kubernetes_node
def test_flannel_interface_is_up_with_the_leases_address(host: Host, pg_node: Node, leases: dict[str, Lease]) -> None:
    lease = lease_of(pg_node, leases)
    (link,) = ip(host, "-details", "address", "show", "dev", INTERFACE)
    assert "UP" in link["flags"]
    assert link["linkinfo"]["info_kind"] == "vxlan"
    assert link["linkinfo"]["info_data"]["local"] == str(pg_node.address)
    assert link["address"] == lease.vtep_mac
    addresses = {entry["local"] for entry in link["addr_info"] if entry["family"] == "inet"}
    assert addresses == {str(lease.subnet.network_address)}


@every_kubernetes_node
def test_flannel_leaves_room_for_its_own_headers(host: Host) -> None:
    (outer,) = ip(host, "link", "show", "dev", "eth1")
    (inner,) = ip(host, "link", "show", "dev", INTERFACE)
    assert inner["mtu"] == outer["mtu"] - VXLAN_OVERHEAD
    pods = {link["ifname"]: link["mtu"] for link in ip(host, "link", "show") if link["ifname"].startswith("cali")}
    assert {name: mtu for name, mtu in pods.items() if mtu > inner["mtu"]} == {}


@every_kubernetes_node
def test_flannel_routes_lead_to_every_other_node(
    host: Host, pg_node: Node, leases: dict[str, Lease], pg_topology: Topology
) -> None:
    if len(kubernetes_nodes(pg_topology)) == 1:
        pytest.skip("there is no other node in this topology")
    routes = {route["dst"]: route for route in ip(host, "-4", "route", "show", "dev", INTERFACE)}
    entries = json.loads(host.check_output(f"bridge -json fdb show dev {INTERFACE}"))
    forwarding = {entry["mac"]: entry["dst"] for entry in entries if "dst" in entry}
    for other in kubernetes_nodes(pg_topology):
        if other == pg_node:
            continue
        lease = lease_of(other, leases)
        assert str(lease.subnet) in routes, f"no route to {lease.subnet} of {other.name}"
        assert routes[str(lease.subnet)]["gateway"] == str(lease.subnet.network_address)
        assert forwarding.get(lease.vtep_mac) == str(other.address), f"packets for {other.name} go elsewhere"
