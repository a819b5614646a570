"""The dashboard: its page shows the cluster as it is to those who may forward ports, and nothing secret."""

from __future__ import annotations

import re
import urllib.request
from urllib.parse import quote

import pytest

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.mesh import Mesh
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import NOT_SIMULATED, Kube
from proving_ground.kubernetes.pods import wait_for_pods
from proving_ground.kubernetes.port_forward import Endpoint, PortForward
from proving_ground.kubernetes.reachability import NewTable, Outcome

pytestmark = [pytest.mark.order(110), pytest.mark.role("configure/kube-components")]

NAMESPACE = "kube-system"
NODE_LINK = re.compile(r'href="/clusters/[^/"]+/nodes/([^"/?#]+)"')


def page(endpoint: Endpoint, path: str) -> str:
    with urllib.request.urlopen(f"{endpoint.url}{path}", timeout=endpoint.timeouts.seconds(20)) as response:
        return str(response.read().decode())


@pytest.mark.smoke
@pytest.mark.order(77)  # before what is said of all pods and services
def test_dashboard_is_available(pg_kube: Kube) -> None:
    deployment = pg_kube.apps.read_namespaced_deployment("dashboard", NAMESPACE)
    assert deployment.spec.replicas >= 1, "the dashboard is scaled to nothing"
    assert deployment.status.available_replicas == deployment.spec.replicas


def test_dashboard_lists_the_real_nodes(pg_port_forward: PortForward, pg_topology: Topology) -> None:
    path = f"/clusters/local/nodes?selector={quote(NOT_SIMULATED)}"
    shown = page(pg_port_forward(NAMESPACE, "service/dashboard", 80), path)
    assert set(NODE_LINK.findall(shown)) == {node.name for node in kubernetes_nodes(pg_topology)}


@pytest.mark.xdist_group("mesh")
def test_no_pod_reaches_the_dashboard(mesh: Mesh, pg_kube: Kube, pg_reachability: NewTable) -> None:
    service = pg_kube.core.read_namespaced_service("dashboard", NAMESPACE)
    dns = pg_kube.core.read_namespaced_service("kube-dns", NAMESPACE)
    (pod,) = wait_for_pods(pg_kube, NAMESPACE, 1, selector="k8s-app=dashboard")
    targets = {
        "its service": f"{service.spec.cluster_ip}:80",
        "its pod": f"{pod.status.pod_ip}:8080",
        "the name server beside it": f"{dns.spec.cluster_ip}:53",
    }
    table = pg_reachability("pods and the dashboard")
    for source in mesh.pods:
        table.expect(source.name, "its service", Outcome.BLOCKED)
        table.expect(source.name, "its pod", Outcome.BLOCKED)
        table.expect(source.name, "the name server beside it", Outcome.CONNECTED)
    table.check(mesh.probes.prober(targets))


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        ("list", "nodes", True),
        ("list", "pods", True),
        ("list", "secrets", False),
        ("get", "secrets", False),
        ("delete", "pods", False),
        ("create", "pods", False),
        ("patch", "nodes", False),
    ],
)
def test_dashboard_may_look_and_not_touch(pg_kube: Kube, verb: str, resource: str, allowed: bool) -> None:
    from kubernetes import client

    account = pg_kube.apps.read_namespaced_deployment("dashboard", NAMESPACE).spec.template.spec.service_account_name
    who = f"system:serviceaccount:{NAMESPACE}:{account}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"]
    attributes = {"verb": verb, "resource": resource, "namespace": NAMESPACE if resource != "nodes" else ""}
    review: dict[str, object] = {"spec": {"user": who, "groups": groups, "resourceAttributes": attributes}}
    authorization = client.AuthorizationV1Api(pg_kube.api_client())
    assert authorization.create_subject_access_review(review).status.allowed is allowed
