"""What runs in the system's namespaces: every pod can start and stays, and services lead to pods alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import Pod, ready, state

pytestmark = [
    pytest.mark.order(78),
    pytest.mark.role("configure/kube-master", "configure/kube-worker", "configure/kube-components"),
]

SYSTEM = "kube-"
"""How the names of the system's namespaces begin."""
STEADY = datetime.timedelta(seconds=15)
"""A container that crashes at its start ends more often than this: kubelets here restart it after two seconds."""
OWNER = "kubernetes.io/service-name"


def system_pods(kube: Kube) -> list[Pod]:
    pods = kube.core.list_pod_for_all_namespaces().items
    return [pod for pod in pods if pod.metadata.namespace.startswith(SYSTEM)]


def ends(pod: Pod) -> Iterator[tuple[str, datetime.datetime]]:
    """Container of the pod, and when it has last ended to be restarted."""
    for container in pod.status.container_statuses or []:
        for ended in (container.last_state.terminated, container.state.terminated):
            if ended is not None and ended.finished_at is not None:
                yield container.name, ended.finished_at


@pytest.mark.smoke
def test_every_pod_of_the_systems_namespaces_is_ready(pg_kube: Kube) -> None:
    def all_ready() -> None:
        pods = system_pods(pg_kube)
        assert pods, "the system has no pods"
        if unready := [state(pod) for pod in pods if not ready(pod) and pod.status.phase != "Succeeded"]:
            raise NotReady("; ".join(unready))

    pg_kube.timeouts.wait_until("every pod of the system's namespaces is ready", all_ready, timeout=15)


def test_no_pod_of_the_systems_namespaces_restarts_again_and_again(pg_kube: Kube) -> None:
    def steady() -> None:
        since = datetime.datetime.now(datetime.UTC) - STEADY
        restarting = [
            f"{name} of {pod.metadata.namespace}/{pod.metadata.name} ended at {when:%H:%M:%S}"
            for pod in system_pods(pg_kube)
            for name, when in ends(pod)
            if when > since
        ]
        if restarting:
            raise NotReady("; ".join(restarting))

    what = f"no container of the system has ended for {STEADY.total_seconds():.0f} s"
    pg_kube.timeouts.wait_until(what, steady, timeout=45, interval=1)


def endpoints(kube: Kube) -> dict[str, set[str]]:
    """Service of the system's namespaces or the default one → the addresses behind it."""
    from kubernetes import client

    found: dict[str, set[str]] = {}
    slices: list[Any] = client.DiscoveryV1Api(kube.api_client()).list_endpoint_slice_for_all_namespaces().items
    for each in slices:
        service = f"{each.metadata.namespace}/{(each.metadata.labels or {}).get(OWNER, each.metadata.name)}"
        if service.startswith((SYSTEM, "default/")):
            for endpoint in each.endpoints or []:
                found.setdefault(service, set()).update(endpoint.addresses)
    return found


def test_endpoints_of_services_are_addresses_of_pods(pg_kube: Kube, pg_topology: Topology) -> None:
    def all_are_pods() -> None:
        behind, pods = endpoints(pg_kube), dict[str, set[str]]()
        for pod in pg_kube.core.list_pod_for_all_namespaces().items:
            pods.setdefault(pod.metadata.namespace, set()).add(str(pod.status.pod_ip))
        masters = {str(node.address) for node in pg_topology.group("kube_master")}
        assert "default/kubernetes" in behind, "no endpoints were found to look at"
        wrong = []
        for service, found in behind.items():
            namespace = service.partition("/")[0]
            allowed = masters if service == "default/kubernetes" else pods.get(namespace, set())
            if foreign := found - allowed:
                wrong.append(f"{service} leads to {', '.join(sorted(foreign))}, which no pod of {namespace} has")
        if wrong:
            raise NotReady("; ".join(wrong) + ": delete these endpoints")

    # Endpoints follow pods, a moment later.
    pg_kube.timeouts.wait_until("services lead to pods alone", all_are_pods, timeout=5)


def test_every_service_of_the_system_leads_somewhere(pg_kube: Kube) -> None:
    def all_lead() -> None:
        behind = endpoints(pg_kube)
        services = [
            f"{each.metadata.namespace}/{each.metadata.name}"
            for each in pg_kube.core.list_service_for_all_namespaces().items
            if each.metadata.namespace.startswith(SYSTEM)
        ]
        assert services, "the system has no services"
        if empty := [service for service in services if not behind.get(service)]:
            raise NotReady(f"nothing is behind {', '.join(empty)}: `kubectl describe service`")

    pg_kube.timeouts.wait_until("every service of the system leads to a pod", all_lead, timeout=5)
