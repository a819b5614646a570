"""Failover: any one master fails, and the cluster goes on; a master that returns disturbs nobody."""

from __future__ import annotations

import datetime
import itertools
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from testinfra.host import Host

from fixtures.api import patient
from fixtures.faults import FAULTS, Fault, api_server_hangs, cut_off, frozen
from fixtures.pki import Pki
from fixtures.virtual_address import PORT, VirtualAddress
from proving_ground.availability.probes import HttpProbe
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import pod_manifest, ready, state, static_pod, wait_for_pods
from proving_ground.plugin.availability import Availability

pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.order(950),
    pytest.mark.role("configure/virtual-address", "configure/kube-worker"),
]

WANTED, MOST = 5, 10
"""Seconds without the API: more than wanted is a finding, more than most an error."""
PREEMPTION = 6
"""Seconds in which a master that has returned would take the address back if it preempted: twice what it waits."""
PROGRAMS = ("kubelet", "kube-proxy", "calico-node")
"""What on a worker keeps a connection to the API."""


@pytest.fixture
def holder(shared_address: VirtualAddress, pg_kube: Kube) -> Node:
    """The first master, which holds the address: it would take it back first if anybody preempted."""
    first = shared_address.masters[0]

    def moved() -> None:
        holders = shared_address.holders()
        if holders != [first]:
            for other in holders:
                if other != first:
                    shared_address.hosts[other.name].check_output("systemctl restart keepalived")
            raise NotReady(f"it is held by {[node.name for node in holders]}")
        answer = shared_address.ask()
        if answer.status != 200:
            raise NotReady(f"the API answers {answer}")

    # Another restart gives it away, and the first master takes it before all others, unless its check has just failed.
    what = f"{first.name} holds the address"
    shared_address.timeouts.wait_until(what, moved, timeout=30, interval=5)
    pg_kube.reconnect()
    return first


@pytest.fixture
def probes(shared_address: VirtualAddress, pki: Pki, pg_kube: Kube, pg_namespace: str) -> dict[str, HttpProbe]:
    """Reading and writing at the virtual address, with new connections and with kept ones."""
    pg_kube.core.create_namespaced_config_map(pg_namespace, {"metadata": {"name": "written"}, "data": {"count": "0"}})
    context = ssl.create_default_context(cafile=str(pki.certificate("ca")))
    admin = pki.identity("admin")
    context.load_cert_chain(admin.certificate, admin.key)
    url = f"https://{shared_address.address}:{PORT}/api/v1/namespaces/{pg_namespace}/configmaps/written"
    count = itertools.count()
    writing = {
        "method": "PATCH",
        "headers": {"Content-Type": "application/merge-patch+json"},
        "body": lambda: json.dumps({"data": {"count": str(next(count))}}),
    }
    return {
        f"{what} by {how} connection": HttpProbe(url, kept=kept, context=context, **options)  # type: ignore[arg-type]
        for what, options in (("reading", {}), ("writing", writing))
        for how, kept in (("a new", False), ("a kept", True))
    }


@contextmanager
def broken(fault: Fault, node: Node, shared_address: VirtualAddress, kube: Kube) -> Iterator[None]:
    """Have the fault on a master, and afterwards wait until the master is as it was."""
    try:
        with fault(shared_address.hosts[node.name]):
            yield
    finally:
        whole_again(node, shared_address, kube)


def whole_again(node: Node, shared_address: VirtualAddress, kube: Kube) -> None:
    """Wait until a master's API server answers, its control plane is Ready, and it may hold the address again."""

    def probe() -> None:
        answer = shared_address.pki.ask(
            f"https://{node.address}:{PORT}/readyz",
            authority=shared_address.pki.certificate("ca"),
            identity=shared_address.pki.identity("admin"),
        )
        if answer.status != 200:
            raise NotReady(f"its API server answers {answer}")
        if node not in endpoints(kube, shared_address):
            raise NotReady("it is not among the endpoints of the service kubernetes")
        for part in ("kube-controller-manager", "kube-scheduler"):
            pod = static_pod(kube, part, node.name)
            if not ready(pod):
                raise NotReady(state(pod))
        check = shared_address.hosts[node.name].run("/etc/keepalived/api-server-is-ready")
        if check.rc != 0:
            raise NotReady(f"keepalived's check ends with {check.rc}")

    shared_address.timeouts.wait_until(f"{node.name} is whole again", patient(probe), timeout=90, interval=1)
    kube.reconnect()


def endpoints(kube: Kube, shared_address: VirtualAddress) -> list[Node]:
    """The masters to which the service ``kubernetes`` leads."""
    from kubernetes import client

    slices = client.DiscoveryV1Api(kube.api_client()).list_namespaced_endpoint_slice(
        "default", label_selector="kubernetes.io/service-name=kubernetes"
    )
    found = {address for each in slices.items for endpoint in each.endpoints or [] for address in endpoint.addresses}
    return [node for node in shared_address.masters if str(node.address) in found]


def taker_from(shared_address: VirtualAddress, holder: Node) -> Node:
    """Wait until another master holds the address, alone."""

    def moved() -> Node:
        holders = shared_address.holders()
        if len(holders) != 1 or holders == [holder]:
            raise NotReady(f"it is held by {[node.name for node in holders] or 'nobody'}")
        return holders[0]

    return shared_address.timeouts.wait_until("another master holds the address", moved, timeout=20, interval=0.2)


@pytest.mark.parametrize("fault", FAULTS)
def test_address_moves_when(
    fault: str,
    holder: Node,
    shared_address: VirtualAddress,
    probes: dict[str, HttpProbe],
    pg_kube: Kube,
    pg_availability: Availability,
) -> None:
    """It moves once, and the return of the master that has lost it is no second outage."""
    with pg_availability(probes) as seen:
        with broken(FAULTS[fault], holder, shared_address, pg_kube):
            taker = taker_from(shared_address, holder)
            seen.wait_for_answers(MOST)

        returned = time.monotonic()

        def stays() -> None:
            assert holder not in shared_address.holders(), "a master that has returned took the address back"
            if time.monotonic() - returned < shared_address.timeouts.seconds(PREEMPTION):
                raise NotReady(f"{taker.name} holds it, as it should")

        what = f"{holder.name} has left the address to {taker.name} for longer than one that preempts would wait"
        shared_address.timeouts.wait_until(what, stays, timeout=3 * PREEMPTION, interval=0.5)
    seen.assert_gap(wanted=WANTED, most=MOST)


def test_dead_api_server_leaves_the_service_of_pods(
    holder: Node, shared_address: VirtualAddress, pg_kube: Kube
) -> None:
    assert endpoints(pg_kube, shared_address) == list(shared_address.masters)
    with broken(api_server_hangs, holder, shared_address, pg_kube):

        def gone() -> None:
            if holder in endpoints(pg_kube, shared_address):
                raise NotReady("it is among the endpoints")

        shared_address.timeouts.wait_until(f"{holder.name} is no endpoint", patient(gone), timeout=25, interval=0.5)
    assert endpoints(pg_kube, shared_address) == list(shared_address.masters)


def leader(kube: Kube, part: str, masters: tuple[Node, ...]) -> Node:
    """The master whose controller manager or scheduler leads."""
    from kubernetes import client

    lease = client.CoordinationV1Api(kube.api_client()).read_namespaced_lease(part, "kube-system")
    name = lease.spec.holder_identity.partition("_")[0]
    return next(node for node in masters if node.name == name)


@pytest.mark.parametrize("part", ["kube-controller-manager", "kube-scheduler"])
def test_lost_leader_is_replaced(
    part: str, shared_address: VirtualAddress, pg_kube: Kube, pg_namespace: str, pg_depot_view: View
) -> None:
    lost = leader(pg_kube, part, shared_address.masters)

    def leader_hangs(host: Host) -> AbstractContextManager[None]:
        return frozen(host, part)

    with broken(leader_hangs, lost, shared_address, pg_kube):
        labels = {"app": "deployed"}
        pod = pod_manifest("deployed", pg_depot_view.images["probe"], labels=labels, container={"args": ["serve"]})
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
        pg_kube.apps.create_namespaced_deployment(pg_namespace, {"metadata": {"name": "deployed"}, "spec": spec})
        wait_for_pods(pg_kube, pg_namespace, 2, selector="app=deployed", timeout=20)
        assert leader(pg_kube, part, shared_address.masters) != lost


def connections(host: Host, condition: str, program: str = "") -> set[tuple[str, str]]:
    """Connections that ``ss`` finds, of one program or of all, as their two ends."""
    lines = host.check_output(f"ss -Htnp state established '{condition}'").splitlines()
    ends = [(line.split()[2], line.split()[3]) for line in lines if not program or f'"{program}' in line]
    return {
        (local.replace("[::ffff:", "").replace("]", ""), peer.replace("[::ffff:", "").replace("]", ""))
        for local, peer in ends
    }


def test_cut_off_api_server_costs_no_worker(
    holder: Node, shared_address: VirtualAddress, pg_kube: Kube, pg_topology: Topology
) -> None:
    """All clients on workers have reconnected to another master before anybody takes a worker for lost."""
    workers = [node for node in pg_topology.group("kube_worker") if node not in shared_address.masters]
    if not workers:
        pytest.skip("every worker of this topology has an API server of its own")
    with broken(cut_off, holder, shared_address, pg_kube):
        cut = datetime.datetime.now(datetime.UTC)
        taker = taker_from(shared_address, holder)

        def reconnected() -> None:
            found = {each.metadata.name: each.status.conditions for each in pg_kube.nodes()}
            unready = [
                node.name
                for node in workers
                for each in found[node.name]
                if each.type == "Ready" and each.status != "True"
            ]
            assert unready == [], "workers are not Ready"
            taken = {(peer, local) for local, peer in connections(shared_address.hosts[taker.name], f"sport = :{PORT}")}
            for node in workers:
                for program in PROGRAMS:
                    own = connections(shared_address.hosts[node.name], f"dport = :{PORT}", program)
                    if not own or not own <= taken:
                        raise NotReady(f"{program} on {node.name} has {own - taken or 'no connection'}")

        left = 45 - (datetime.datetime.now(datetime.UTC) - cut).total_seconds()
        what = "all clients on workers have connections to another master"
        shared_address.timeouts.wait_until(what, patient(reconnected), timeout=left, interval=0.5)
