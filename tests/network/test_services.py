"""Services: by the port of every node, with affinity, by UDP, by another name, and for clients beyond the cluster."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.mesh import Mesh
from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.policies.scene import Port, Protocol
from proving_ground.kubernetes.probes import PORTS, Probes
from proving_ground.kubernetes.reachability import NewTable, Outcome

pytestmark = [
    pytest.mark.order(85),
    pytest.mark.role("configure/kube-node", "configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("mesh"),
]

KNOWN_WITHIN = 10
"""Seconds in which every node has to know a new service: kube-proxy follows the API."""
ANSWER_WITHIN = 2.0
"""Seconds for an answer; a dropped connection says nothing, so each costs this long."""
ENOUGH = 40
"""Requests: that all of them meet the same one of several pods by chance is less likely than 1 in 10^11."""


@dataclass(frozen=True)
class Service:
    """A service of the mesh's pods: its address within the cluster, and its port on every node."""

    kube: Kube
    address: str
    node_port: int

    def ask(self, node: Node, path: str) -> str:
        """Return what a pod behind the service answers to the controller, which asks at a node's address.

        Raises:
            OSError: nothing answers there.
        """
        url = f"http://{node.address}:{self.node_port}{path}"
        with urllib.request.urlopen(url, timeout=self.kube.timeouts.seconds(ANSWER_WITHIN)) as answer:
            return str(answer.read().decode().strip())

    def who(self, node: Node) -> str:
        """Return the name of the pod that answers."""
        return self.ask(node, "/hostname")

    def answers_at(self, node: Node) -> bool:
        """Return whether a pod answers at a node's address."""
        try:
            return bool(self.who(node))
        except OSError:
            return False

    def answering(self, nodes: Sequence[Node]) -> list[str]:
        """Return the names of those nodes at whose addresses a pod answers; all are asked at the same time."""
        with ThreadPoolExecutor(len(nodes)) as threads:
            return [
                node.name for node, answers in zip(nodes, threads.map(self.answers_at, nodes), strict=True) if answers
            ]


MakeService = Callable[..., Any]


@pytest.fixture
def service(mesh: Mesh, pg_kube: Kube) -> MakeService:
    """Make a service for the length of a block: of all pods of the mesh, or of those that ``selector`` chooses."""

    @contextmanager
    def make(selector: Mapping[str, str] | None = None, **more: Any) -> Iterator[Service]:
        spec = {
            "type": "NodePort",
            "selector": dict(selector or {"mesh": "pod"}),
            "ports": [{"port": PORTS[0]}],
            **more,
        }
        made = pg_kube.core.create_namespaced_service(
            mesh.namespace, {"metadata": {"generateName": "s-"}, "spec": spec}
        )
        try:
            yield Service(pg_kube, made.spec.cluster_ip, made.spec.ports[0].node_port)
        finally:
            pg_kube.core.delete_namespaced_service(made.metadata.name, mesh.namespace)

    return make


def known(service: Service, nodes: tuple[Node, ...], timeouts: Timeouts) -> None:
    """Wait until a pod answers at the port of each of these nodes."""

    def everywhere() -> None:
        if silent := {node.name for node in nodes} - set(service.answering(nodes)):
            raise NotReady(f"nothing answers at port {service.node_port} of {sorted(silent)}")

    timeouts.wait_until("the service answers at the nodes' ports", everywhere, timeout=KNOWN_WITHIN, interval=0.2)


def test_node_port_answers_at_every_node_and_no_longer_than_its_service_lives(
    service: MakeService, mesh: Mesh, pg_topology: Topology, pg_reachability: NewTable, pg_timeouts: Timeouts
) -> None:
    nodes = kubernetes_nodes(pg_topology)

    def from_everywhere(title: str, outcome: Outcome, port: int) -> None:
        table = pg_reachability(title)
        for source in (*mesh.pods, *mesh.nodes):
            for node in nodes:
                table.expect(source.name, node.name, outcome)
        prober = mesh.probes.prober({node.name: f"{node.address}:{port}" for node in nodes})
        table.wait(prober, timeout=KNOWN_WITHIN)

    with service() as made:
        known(made, nodes, pg_timeouts)
        from_everywhere("pods and nodes reach the port of every node", Outcome.CONNECTED, made.node_port)

    def nowhere() -> None:
        if talkative := made.answering(nodes):
            raise NotReady(f"it answers at {talkative}")

    pg_timeouts.wait_until("nothing answers at its port any more", nowhere, timeout=KNOWN_WITHIN, interval=0.2)
    from_everywhere("nobody reaches the port of a service that is gone", Outcome.BLOCKED, made.node_port)


def test_service_spreads_its_clients_over_its_pods(
    service: MakeService, mesh: Mesh, pg_topology: Topology, pg_timeouts: Timeouts
) -> None:
    node = kubernetes_nodes(pg_topology)[0]
    with service() as made:
        known(made, (node,), pg_timeouts)
        answered = {made.who(node) for _ in range(ENOUGH)}
    assert answered <= {pod.name for pod in mesh.pods}
    assert len(answered) > 1, "one pod has answered all requests"


def test_client_stays_with_its_pod_for_the_seconds_of_its_affinity(
    service: MakeService, pg_topology: Topology, pg_timeouts: Timeouts
) -> None:
    node = kubernetes_nodes(pg_topology)[0]
    affinity = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 2}}}
    with service(**affinity) as made:
        known(made, (node,), pg_timeouts)
        (pod,) = {made.who(node) for _ in range(ENOUGH)}

        def another() -> None:
            if made.who(node) == pod:
                raise NotReady(f"{pod} answers again")

        # Each request begins the two seconds anew: only a client that has been silent for longer may meet another pod.
        pg_timeouts.wait_until("a client that was silent meets another pod", another, timeout=60, interval=3)


def test_local_traffic_policy_answers_where_a_pod_is_and_shows_it_the_clients_address(
    service: MakeService, mesh: Mesh, pg_topology: Topology, pg_timeouts: Timeouts
) -> None:
    nodes = kubernetes_nodes(pg_topology)
    if len(nodes) == 1:
        pytest.skip("there is no node without a pod")
    pod = mesh.pods[-1]
    here = pg_topology.node(pod.node)
    controller = str(pg_topology.networks["machines"][1])
    with service({"probe": pod.name}) as made:
        known(made, nodes, pg_timeouts)
        seen = {node.name: made.ask(node, "/client-address") for node in nodes}
        assert {name for name, address in seen.items() if address == controller} <= {here.name}, seen
    with service({"probe": pod.name}, externalTrafficPolicy="Local") as made:
        known(made, (here,), pg_timeouts)
        assert made.ask(here, "/client-address") == controller
        assert made.answering([node for node in nodes if node != here]) == []


def test_service_leads_udp_to_its_pod_and_to_no_port_that_it_lacks(
    pg_kube: Kube, probes: Probes, mesh: Mesh, pg_namespace: str, pg_topology: Topology, pg_reachability: NewTable
) -> None:
    udp = Port(PORTS[0], Protocol.UDP)
    worker = pg_topology.group("kube_worker")[-1].name
    probes.start({pg_namespace: [probes.manifest("datagrams", worker, ports=[Port(PORTS[0]), udp])]})
    spec = {"selector": {"probe": "datagrams"}, "ports": [{"port": 5353, "targetPort": PORTS[0], "protocol": "UDP"}]}
    made = pg_kube.core.create_namespaced_service(pg_namespace, {"metadata": {"name": "datagrams"}, "spec": spec})
    address = made.spec.cluster_ip
    table = pg_reachability("a service by UDP")
    for source in mesh.pods:
        table.expect(source.name, "its port", Outcome.CONNECTED)
        table.expect(source.name, "another port", Outcome.BLOCKED)
    targets = {"its port": f"udp:{address}:5353", "another port": f"udp:{address}:5354"}
    table.wait(probes.prober(targets), timeout=KNOWN_WITHIN)


@pytest.mark.role("configure/kube-components")
def test_external_name_resolves_to_what_it_stands_for(pg_kube: Kube, mesh: Mesh, pg_timeouts: Timeouts) -> None:
    pod = mesh.pods[0]
    spec = {"type": "ExternalName", "externalName": f"{pod.name}.{mesh.namespace}.svc.cluster.local"}
    pg_kube.core.create_namespaced_service(mesh.namespace, {"metadata": {"name": "elsewhere"}, "spec": spec})

    def found() -> None:
        (answer,) = mesh.probes.look_up(pod.name, "elsewhere").values()
        if answer.answers != (mesh.services[pod.name],):
            raise NotReady(f"it is {answer}")

    pg_timeouts.wait_until("the name leads to the other service", found, timeout=KNOWN_WITHIN, interval=0.2)
    pg_kube.core.delete_namespaced_service("elsewhere", mesh.namespace)
