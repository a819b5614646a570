"""Names inside the cluster: services, headless services and their pods, search paths, and the way back."""

from __future__ import annotations

import pytest

from fixtures.mesh import HEADLESS, Mesh
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import wait_for_pods

pytestmark = [pytest.mark.order(100), pytest.mark.role("configure/kube-components"), pytest.mark.xdist_group("mesh")]

DOMAIN = "cluster.local"


def answers(
    mesh: Mesh, source: str, *names: str, reverse: bool = False, by_tcp: bool = False
) -> dict[str, tuple[str, ...]]:
    """Name → answers; anything but an answer fails the test."""
    found = mesh.probes.look_up(source, *names, reverse=reverse, by_tcp=by_tcp)
    without = {
        name: f"{lookup.outcome}: {lookup.reason}" for name, lookup in found.items() if lookup.outcome != "found"
    }
    assert without == {}, f"asked from {source}"
    return {name: lookup.answers for name, lookup in found.items()}


@pytest.mark.smoke
@pytest.mark.order(77)  # before what is said of all pods and services
def test_coredns_is_available(pg_kube: Kube) -> None:
    deployment = pg_kube.apps.read_namespaced_deployment("coredns", "kube-system")
    assert deployment.spec.replicas >= 1, "CoreDNS is scaled to nothing"
    assert deployment.status.available_replicas == deployment.spec.replicas


def test_coredns_outlives_the_loss_of_a_node(pg_kube: Kube, pg_topology: Topology) -> None:
    planned = min(2, len(pg_topology.group("kube_worker")))
    pods = wait_for_pods(pg_kube, "kube-system", planned, selector="k8s-app=kube-dns", timeout=20)
    assert len({pod.spec.node_name for pod in pods}) == planned, "they share a node"


@pytest.mark.smoke
def test_service_names_resolve_from_every_pod(mesh: Mesh, pg_topology: Topology) -> None:
    api = str(pg_topology.networks["services"][1])
    expected = {f"kubernetes.default.svc.{DOMAIN}": (api,)} | {
        f"{name}.{mesh.namespace}.svc.{DOMAIN}": (address,) for name, address in mesh.services.items()
    }
    for pod in mesh.pods:
        assert answers(mesh, pod.name, *expected) == expected


@pytest.mark.parametrize("by_tcp", [False, True], ids=["by_udp", "by_tcp"])
def test_search_path_completes_names_for_pods_in_both_networks(mesh: Mesh, pg_topology: Topology, by_tcp: bool) -> None:
    api, dns = str(pg_topology.networks["services"][1]), str(pg_topology.variables["cluster_dns"])
    expected = {"kubernetes.default": (api,), "kube-dns.kube-system": (dns,), "kube-dns.kube-system.svc": (dns,)}
    for pod in (*mesh.pods, *mesh.nodes):
        # Not its own name, which a pod finds in its own /etc/hosts.
        neighbour = next(name for name in mesh.services if name != pod.name)
        wanted = {**expected, neighbour: (mesh.services[neighbour],)}
        assert answers(mesh, pod.name, *wanted, by_tcp=by_tcp) == wanted


def test_headless_service_resolves_to_its_pods(mesh: Mesh) -> None:
    expected = tuple(sorted(pod.address for pod in mesh.pods))
    for pod in mesh.pods:
        assert answers(mesh, pod.name, HEADLESS) == {HEADLESS: expected}


def test_pods_of_a_headless_service_have_names_of_their_own(mesh: Mesh) -> None:
    expected = {f"{pod.name}.{HEADLESS}.{mesh.namespace}.svc.{DOMAIN}": (pod.address,) for pod in mesh.pods}
    for pod in mesh.pods:
        assert answers(mesh, pod.name, *expected) == expected


def test_addresses_resolve_to_names(mesh: Mesh, pg_topology: Topology) -> None:
    expected = {
        str(pg_topology.networks["services"][1]): (f"kubernetes.default.svc.{DOMAIN}",),
        str(pg_topology.variables["cluster_dns"]): (f"kube-dns.kube-system.svc.{DOMAIN}",),
    }
    pods = {pod.address: f"{pod.name}.{HEADLESS}.{mesh.namespace}.svc.{DOMAIN}" for pod in mesh.pods}
    found = answers(mesh, mesh.pods[0].name, *expected, *pods, reverse=True)
    assert {address: found[address] for address in expected} == expected
    # A pod is also behind a service of its own, so it may have that name besides.
    assert {address: name for address, name in pods.items() if name not in found[address]} == {}


@pytest.mark.parametrize("by_tcp", [False, True], ids=["by_udp", "by_tcp"])
@pytest.mark.parametrize("name", [f"nobody.default.svc.{DOMAIN}", "nobody"])
def test_unknown_name_is_said_to_be_unknown(mesh: Mesh, name: str, by_tcp: bool) -> None:
    for pod in (mesh.pods[0], mesh.nodes[-1]):
        (lookup,) = mesh.probes.look_up(pod.name, name, by_tcp=by_tcp).values()
        assert lookup.outcome == "not found", lookup
