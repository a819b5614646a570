"""The address that several masters share: it answers, one master holds it, and all who are no masters use it."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest
from testinfra.host import Host

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.etcd import Etcd
from fixtures.virtual_address import PORT, VirtualAddress
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Node, Topology
from proving_ground.kubernetes.client import Kube, Kubectl
from proving_ground.kubernetes.tls import Verdict
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.node_facts import addresses, unit_state

pytestmark = [
    pytest.mark.order(65),
    pytest.mark.role("configure/virtual-address"),
    pytest.mark.usefixtures("shared_address"),
]

every_master = pytest.mark.hosts("kube_master")


@pytest.mark.smoke
def test_api_answers_at_the_virtual_address(shared_address: VirtualAddress) -> None:
    answer = shared_address.ask()
    assert (answer.verdict, answer.status) == (Verdict.ANSWERED, 200), answer


@pytest.mark.smoke
def test_virtual_address_is_held_by_exactly_one_machine(shared_address: VirtualAddress, pg_topology: Topology) -> None:
    wanted = str(shared_address.address)
    held = {node.name for node in pg_topology.nodes if wanted in addresses(shared_address.hosts[node.name])}
    assert len(held) == 1, held or "nobody holds it"
    assert held <= {node.name for node in shared_address.masters}


@every_master
def test_keepalived_is_a_service_of_systemd_and_no_pod(host: Host, pg_node: Node, pg_kube: Kube) -> None:
    assert unit_state(host, "keepalived.service") == "active (running)"
    pods = pg_kube.core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={pg_node.name}").items
    assert [pod.metadata.name for pod in pods if "keepalived" in pod.metadata.name] == []


def peers(host: Host, program: str) -> set[str]:
    """Addresses of API servers to which a program has connections."""
    lines = host.check_output(f"ss -Htnp state established 'dport = :{PORT}'").splitlines()
    return {
        line.split()[3].rpartition(":")[0].strip("[]").removeprefix("::ffff:")
        for line in lines
        if f'"{program}"' in line
    }


@pytest.mark.role("configure/kube-worker")
@pytest.mark.hosts("kube_worker")
def test_worker_reaches_the_api_at_the_virtual_address(
    host: Host, pg_node: Node, shared_address: VirtualAddress
) -> None:
    if pg_node in shared_address.masters:
        pytest.skip("it has an API server of its own")
    assert {program: peers(host, program) for program in ("kubelet", "kube-proxy", "calico-node")} == {
        program: {str(shared_address.address)} for program in ("kubelet", "kube-proxy", "calico-node")
    }


@pytest.mark.parametrize("program", ["kubelet", "kube-proxy", "calico-node", "kube-controller", "kube-scheduler"])
@every_master
def test_master_reaches_the_api_server_beside_it(host: Host, pg_node: Node, program: str) -> None:
    assert peers(host, program) == {str(pg_node.address)}


@pytest.mark.role("configure/kubectl")
def test_kubectl_reaches_the_api_at_the_virtual_address(pg_kubectl: Kubectl, shared_address: VirtualAddress) -> None:
    shown = pg_kubectl.json("config", "view", "--minify")
    assert shown["clusters"][0]["cluster"]["server"] == f"https://{shared_address.address}:{PORT}"


@pytest.mark.role("configure/kube-worker")
def test_nothing_takes_the_virtual_address_for_a_nodes_own(
    shared_address: VirtualAddress, pg_kube: Kube, etcd: Etcd, pg_topology: Topology
) -> None:
    wanted = str(shared_address.address)
    nodes = {node.metadata.name: json.dumps(node.to_dict(), default=str) for node in pg_kube.nodes()}
    assert set(nodes) == {node.name for node in kubernetes_nodes(pg_topology)}
    assert [name for name, text in nodes.items() if f'"{wanted}' in text] == []
    assert IPv4Address(wanted) not in {lease.address for lease in etcd.leases()}


@pytest.mark.parametrize("part", ["kube-controller-manager", "kube-scheduler"])
def test_one_of_the_masters_leads(part: str, pg_kube: Kube, shared_address: VirtualAddress) -> None:
    from kubernetes import client

    lease = client.CoordinationV1Api(pg_kube.api_client()).read_namespaced_lease(part, "kube-system")
    assert lease.spec.holder_identity.partition("_")[0] in {node.name for node in shared_address.masters}


@pytest.mark.disruptive
@pytest.mark.order(940)
@pytest.mark.role("configure/kube-worker")
def test_flannel_that_starts_on_the_holder_keeps_the_nodes_own_address(
    shared_address: VirtualAddress, pg_kube: Kube, etcd: Etcd
) -> None:
    holder = shared_address.holder()
    before = {lease.address: lease.subnet for lease in etcd.leases()}
    host = shared_address.hosts[holder.name]
    host.check_output("systemctl restart flanneld containerd kubelet")

    def ready() -> None:
        found = [each for each in pg_kube.core.read_node(holder.name).status.conditions if each.type == "Ready"]
        if [each.status for each in found] != ["True"]:
            raise NotReady(str(found))

    pg_kube.timeouts.wait_until(f"{holder.name} is Ready", ready, timeout=60)
    assert {lease.address: lease.subnet for lease in etcd.leases()} == before
    assert shared_address.holder() == holder, "a runtime that restarts moves the address"


@pytest.mark.disruptive
@pytest.mark.order(941)
def test_converge_puts_a_half_made_master_right(shared_address: VirtualAddress, pg_machines: Lifecycle) -> None:
    """A program that is gone, settings that nobody uses, a service that does not run: then nothing more to change."""
    spare = next(node for node in shared_address.masters if node != shared_address.holder())
    host = shared_address.hosts[spare.name]
    host.check_output(
        "systemctl disable --now keepalived && rm -rf /opt/keepalived && mkdir /opt/.keepalived-new && "
        "echo >>/etc/keepalived/keepalived.conf"
    )
    pg_machines.converge("--tags=virtual-address")
    assert unit_state(host, "keepalived.service") == "active (running)"
    assert host.check_output("systemctl is-enabled keepalived") == "enabled"
    again = pg_machines.converge("--tags=virtual-address")
    assert [outcome for outcome in again.outcomes if outcome.status == "changed"] == []
    assert shared_address.holder() != spare, "a master that returns takes the address from nobody"


@pytest.mark.disruptive
@pytest.mark.order(942)
def test_converge_changes_nothing_whoever_holds_the_address(
    shared_address: VirtualAddress, pg_machines: Lifecycle
) -> None:
    first = shared_address.holder()
    # A stop gives the address away; the start does not take it back.
    shared_address.hosts[first.name].check_output("systemctl restart keepalived")
    second = shared_address.holder()
    assert second != first, "the address did not move"
    result = pg_machines.converge("--tags=ca,kubectl,kube-node,virtual-address")
    assert [outcome for outcome in result.outcomes if outcome.status == "changed"] == []
    assert shared_address.holder() == second
