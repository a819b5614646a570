"""Make namespaces with unique names that vanish quickly, and wait for pods in them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.client import Kube

Pod = Any
"""``client.V1Pod``, whose generated type calls every field optional."""

PODS_TIMEOUT = 60.0
"""Seconds in which pods have to be ready: their images are on the nodes already."""


class Namespaces:
    """Makes namespaces with unique names and deletes them.

    Args:
        kube: the cluster.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._made: list[str] = []

    def create(self, prefix: str, labels: Mapping[str, str] | None = None) -> str:
        """A new namespace, called after ``prefix``, ready to take pods."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        metadata = {"name": name, "labels": dict(labels or {})}
        self._kube.core.create_namespace({"metadata": metadata})
        self._made.append(name)
        # Pods are turned away until the controller manager has made the namespace's service account.
        self._kube.timeouts.wait_until(
            f"namespace {name} has its service account", lambda: self._service_account(name), timeout=20, interval=0.05
        )
        return name

    def _service_account(self, namespace: str) -> None:
        from kubernetes import client

        try:
            self._kube.core.read_namespaced_service_account("default", namespace)
        except client.ApiException as error:
            if error.status == 404:
                raise NotReady("the controller manager has not made it") from error
            raise

    def delete(self, name: str) -> None:
        """Delete the namespace and all in it, without waiting for the end: no other will ever have its name."""
        # Pods first and without grace, or the namespace's controller gives each of them half a minute.
        self._kube.core.delete_collection_namespaced_pod(name, grace_period_seconds=0)
        self._kube.core.delete_namespace(name)
        self._made.remove(name)

    def delete_all(self) -> None:
        """Delete every namespace that was made here; tries all before it raises the first error."""
        errors = []
        for name in list(self._made):
            try:
                self.delete(name)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]


@pytest.fixture(scope="session")
def pg_namespaces(pg_kube: Kube) -> Iterator[Namespaces]:
    """Makes namespaces; what a test does not delete goes when the session ends."""
    made = Namespaces(pg_kube)
    yield made
    made.delete_all()


@pytest.fixture
def pg_namespace(pg_namespaces: Namespaces) -> Iterator[str]:
    """A namespace of the test's own."""
    name = pg_namespaces.create("test")
    yield name
    pg_namespaces.delete(name)


def ready(pod: Pod) -> bool:
    """Whether the pod's condition Ready holds and it is not on its way out."""
    conditions = pod.status.conditions or []
    holds = any(condition.type == "Ready" and condition.status == "True" for condition in conditions)
    return holds and pod.metadata.deletion_timestamp is None


def state(pod: Pod) -> str:
    """Why a pod is where it is, in one line: phase, conditions that do not hold, containers that wait or have ended."""
    words = [str(pod.status.phase)]
    words += [
        f"{condition.type}: {condition.message or condition.reason}"
        for condition in pod.status.conditions or []
        if condition.status != "True" and (condition.message or condition.reason)
    ]
    for container in pod.status.container_statuses or []:
        waiting, ended = container.state.waiting, container.state.terminated
        if waiting is not None:
            words.append(f"{container.name} waits: {waiting.reason} {waiting.message or ''}".rstrip())
        if ended is not None:
            words.append(f"{container.name} ended with {ended.exit_code}: {ended.reason}")
    return f"{pod.metadata.namespace}/{pod.metadata.name} on {pod.spec.node_name or 'no node'}: {'; '.join(words)}"


def ended_with_machine(exit_code: int | None, reason: str | None) -> bool:
    """Whether a container ended because its machine did, which says nothing against the container.

    containerd comes up, finds the container gone, and cannot say how it went: that alone it calls "Unknown" with 255
    (``unknownContainerStatus`` of its CRI plugin). One that dies or is killed while the machine runs has an end of
    its own.
    """
    return (exit_code, reason) == (255, "Unknown")


def static_pod(kube: Kube, part: str, node: str) -> Pod:
    """A static pod as the API server shows it.

    Args:
        kube: the cluster.
        part: what it runs, as ``kube-proxy``.
        node: whose kubelet runs it.

    Raises:
        AssertionError: there is none, or it is an ordinary pod; names part and node.
    """
    from kubernetes import client

    try:
        pod = kube.core.read_namespaced_pod(f"{part}-{node}", "kube-system")
    except client.ApiException as error:
        if error.status != 404:
            raise
        raise AssertionError(f"{part} does not run on {node}: no pod kube-system/{part}-{node}") from error
    assert "kubernetes.io/config.mirror" in (pod.metadata.annotations or {}), f"{part}-{node} is no static pod"
    return pod


def wait_for_pods(
    kube: Kube, namespace: str, count: int, *, selector: str = "", timeout: float = PODS_TIMEOUT
) -> list[Pod]:
    """Wait until ``count`` pods are there and all of them are ready.

    Args:
        kube: the cluster.
        namespace: where they lie.
        count: how many.
        selector: labels, as ``app=redis,role=slave``; empty for all pods of the namespace.
        timeout: seconds.

    Returns:
        The pods, sorted by name.

    Raises:
        WaitTimeoutError: they are not; names each pod that is not ready and why.
    """

    def probe() -> list[Pod]:
        pods: list[Pod] = kube.core.list_namespaced_pod(namespace, label_selector=selector).items
        lacking = [state(pod) for pod in pods if not ready(pod)]
        if len(pods) != count or lacking:
            raise NotReady("; ".join([f"{len(pods)} of {count} pods are there", *lacking]))
        return sorted(pods, key=lambda pod: str(pod.metadata.name))

    what = f"{count} pods {selector} in {namespace} are ready".replace("  ", " ")
    return kube.timeouts.wait_until(what, probe, timeout=timeout, interval=0.2)


def pod_manifest(
    name: str, image: str, *, labels: Mapping[str, str] | None = None, node: str = "", **spec: Any
) -> dict[str, Any]:
    """A pod of one container that ends at once when it is deleted.

    Args:
        name: of the pod and its container.
        image: the depot's; it is on every node and never pulled.
        labels: of the pod.
        node: puts it there past the scheduler, or empty to leave that to it.
        spec: further fields of the pod's spec; ``container`` holds further fields of the container.
    """
    container = {"name": "main", "image": image, "imagePullPolicy": "Never", **spec.pop("container", {})}
    placed = {"nodeName": node} if node else {}
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            **placed,
            **spec,
        },
    }
