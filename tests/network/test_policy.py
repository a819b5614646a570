"""Network policies: every door is first shown open, then closed to whom it should be, then open again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.mesh import Mesh
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import Namespaces
from proving_ground.kubernetes.probes import PORTS, Probes
from proving_ground.kubernetes.reachability import NewTable, Outcome, Reachability

pytestmark = [
    pytest.mark.order(90),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("mesh"),
]

CONNECTED, BLOCKED = Outcome.CONNECTED, Outcome.BLOCKED
SERVER_8080, SERVER_8081 = (f"server:{port}" for port in PORTS)
CLIENTS = ("friend", "stranger", "visitor")
TIMEOUT_MS = 500
"""Milliseconds after which a connection is blocked; a drop says nothing, so each costs this long."""


@dataclass(frozen=True)
class Scene:
    """A server with two ports, friend and stranger in its namespace, a visitor from another, and the server's node.

    Attributes:
        kube: the cluster.
        probes: asks the clients.
        namespace: where policies apply.
        visitors: the other namespace; its label is ``team: visitors``.
        node: name of the probe in the network of the server's node.
        server: the server's address.
    """

    kube: Kube
    probes: Probes
    namespace: str
    visitors: str
    node: str
    server: str

    def shows(self, table: Reachability) -> None:
        """Wait until the table holds twice in a row."""
        prober = self.probes.prober({f"server:{port}": f"{self.server}:{port}" for port in PORTS}, TIMEOUT_MS)
        table.wait(prober, timeout=15, successes=2)

    @contextmanager
    def policy(self, spec: Mapping[str, Any]) -> Iterator[None]:
        """A network policy for the length of the context."""
        self.kube.networking.create_namespaced_network_policy(
            self.namespace, {"metadata": {"name": "tested"}, "spec": dict(spec)}
        )
        try:
            yield
        finally:
            self.kube.networking.delete_namespaced_network_policy("tested", self.namespace)


@pytest.fixture(scope="module")
def scene(
    pg_kube: Kube, probes: Probes, mesh: Mesh, pg_namespaces: Namespaces, pg_topology: Topology
) -> Iterator[Scene]:
    """The server on one worker, each client on another one as long as there are others."""
    here, *others = [node.name for node in pg_topology.group("kube_worker")]
    theirs = dict(zip(CLIENTS, itertools.cycle(others or [here]), strict=False))
    namespace = pg_namespaces.create("policy")
    visitors = pg_namespaces.create("visitors", {"team": "visitors"})
    manifest = probes.manifest
    inside = [
        manifest("server", here),
        manifest("friend", theirs["friend"], labels={"role": "friend"}),
        manifest("stranger", theirs["stranger"]),
    ]
    probes.start({visitors: [manifest("visitor", theirs["visitor"])], namespace: inside})
    node = next(pod.name for pod in mesh.nodes if pod.node == here)
    yield Scene(pg_kube, probes, namespace, visitors, node, probes.pods["server"].address)
    for name in (namespace, visitors):
        pg_namespaces.delete(name)


Expected = Mapping[tuple[str, str], Outcome]
TableOf = Callable[[str, Expected], Reachability]


@pytest.fixture
def table_of(pg_reachability: NewTable) -> TableOf:
    """A truth table of (client, server's port) → outcome."""

    def make(title: str, expected: Expected) -> Reachability:
        table = pg_reachability(title)
        for (source, target), outcome in expected.items():
            table.expect(source, target, outcome)
        return table

    return make


def closes(scene: Scene, table_of: TableOf, what: str, spec: Mapping[str, Any], expected: Expected) -> None:
    """Show the connections of ``expected`` open, then as expected under the policy, then open again."""
    everything = dict.fromkeys(expected, CONNECTED)
    scene.shows(table_of(f"{what}: open", everything))
    with scene.policy(spec):
        scene.shows(table_of(f"{what}: closed", expected))
    scene.shows(table_of(f"{what}: open again", everything))


def test_policy_denies_all_but_the_servers_own_node(scene: Scene, table_of: TableOf) -> None:
    expected = {(client, SERVER_8080): BLOCKED for client in CLIENTS} | {(scene.node, SERVER_8080): CONNECTED}
    closes(scene, table_of, "deny all", {"podSelector": {}, "policyTypes": ["Ingress"]}, expected)


def test_policy_allows_by_label(scene: Scene, table_of: TableOf) -> None:
    spec = {
        "podSelector": {"matchLabels": {"probe": "server"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}],
    }
    expected = {
        ("friend", SERVER_8080): CONNECTED,
        ("stranger", SERVER_8080): BLOCKED,
        ("visitor", SERVER_8080): BLOCKED,
        (scene.node, SERVER_8080): CONNECTED,
    }
    closes(scene, table_of, "allow by label", spec, expected)


def test_policy_allows_by_namespace(scene: Scene, table_of: TableOf) -> None:
    spec = {
        "podSelector": {"matchLabels": {"probe": "server"}},
        "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "visitors"}}}]}],
    }
    expected = {
        ("friend", SERVER_8080): BLOCKED,
        ("stranger", SERVER_8080): BLOCKED,
        ("visitor", SERVER_8080): CONNECTED,
        (scene.node, SERVER_8080): CONNECTED,
    }
    closes(scene, table_of, "allow by namespace", spec, expected)


def test_policy_allows_by_port(scene: Scene, table_of: TableOf) -> None:
    spec = {"podSelector": {"matchLabels": {"probe": "server"}}, "ingress": [{"ports": [{"port": PORTS[1]}]}]}
    expected = {(client, SERVER_8080): BLOCKED for client in CLIENTS}
    expected |= {(client, SERVER_8081): CONNECTED for client in CLIENTS}
    closes(scene, table_of, "allow by port", spec, expected)


def test_policy_restricts_who_a_pod_may_call(scene: Scene, table_of: TableOf) -> None:
    server = {"podSelector": {"matchLabels": {"probe": "server"}}}
    spec = {
        "podSelector": {"matchLabels": {"role": "friend"}},
        "policyTypes": ["Egress"],
        "egress": [{"to": [server], "ports": [{"port": PORTS[0]}]}],
    }
    expected = {
        ("friend", SERVER_8080): CONNECTED,
        ("friend", SERVER_8081): BLOCKED,
        ("stranger", SERVER_8081): CONNECTED,
        ("visitor", SERVER_8081): CONNECTED,
    }
    closes(scene, table_of, "egress", spec, expected)


def test_policy_that_denies_all_leaves_a_new_pods_health_checks_alone(
    scene: Scene, pg_reachability: NewTable, pg_namespaces: Namespaces, pg_topology: Topology
) -> None:
    namespace = pg_namespaces.create("healthy")
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    scene.kube.networking.create_namespaced_network_policy(namespace, {"metadata": {"name": "deny"}, "spec": deny})
    # A probe becomes ready when its kubelet has reached it over the network, and by nothing else.
    worker = pg_topology.group("kube_worker")[0].name
    (pod,) = scene.probes.start({namespace: [scene.probes.manifest("checked", worker)]})
    table = pg_reachability("a pod that nobody may call, and is ready")
    table.expect("stranger", "checked", BLOCKED)
    table.expect(scene.node, "checked", CONNECTED)
    table.check(scene.probes.prober({"checked": f"{pod.address}:{PORTS[0]}"}, TIMEOUT_MS))
    pg_namespaces.delete(namespace)
