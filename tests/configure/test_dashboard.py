"""The dashboard: its page shows the cluster as it is, and it may look at nothing secret."""

from __future__ import annotations

import re
import urllib.request

import pytest

from fixtures.cluster_nodes import kubernetes_nodes
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.port_forward import Endpoint, PortForward

pytestmark = [pytest.mark.order(110), pytest.mark.role("configure/kube-components")]

NAMESPACE = "kube-system"
NODE_LINK = re.compile(r'href="/clusters/[^/"]+/nodes/([^"/?#]+)"')


def page(endpoint: Endpoint, path: str) -> str:
    with urllib.request.urlopen(f"{endpoint.url}{path}", timeout=endpoint.timeouts.seconds(20)) as response:
        return str(response.read().decode())


@pytest.mark.smoke
def test_dashboard_is_available(pg_kube: Kube) -> None:
    deployment = pg_kube.apps.read_namespaced_deployment("dashboard", NAMESPACE)
    assert deployment.spec.replicas >= 1, "the dashboard is scaled to nothing"
    assert deployment.status.available_replicas == deployment.spec.replicas


def test_dashboard_lists_the_real_nodes(pg_port_forward: PortForward, pg_topology: Topology) -> None:
    shown = page(pg_port_forward(NAMESPACE, "service/dashboard", 80), "/clusters/local/nodes")
    assert set(NODE_LINK.findall(shown)) == {node.name for node in kubernetes_nodes(pg_topology)}


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
