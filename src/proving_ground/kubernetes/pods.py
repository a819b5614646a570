"""Describe pods, and wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.client import Kube

Pod = Any
"""``client.V1Pod``, whose generated type has only optional fields."""

PODS_TIMEOUT = 60.0
"""Seconds in which pods have to become ready; their images are on the nodes already."""

RESTRICTED_POD = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""Security contexts of a pod, and of its containers, that every namespace takes: they fit the level ``restricted``."""


def ready(pod: Pod) -> bool:
    """Return whether the pod is Ready and not terminating."""
    conditions = pod.status.conditions or []
    holds = any(condition.type == "Ready" and condition.status == "True" for condition in conditions)
    return holds and pod.metadata.deletion_timestamp is None


def state(pod: Pod) -> str:
    """Describe a pod in one line: phase, conditions that are not True, containers that wait or have ended."""
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
    """Return whether a container ended because its machine stopped, which is no fault of the container.

    When containerd starts again, it finds the container gone and does not know its exit code. Only then it reports
    "Unknown" with 255 (``unknownContainerStatus`` of its CRI plugin). A container that dies or is killed while the
    machine runs has another reason.
    """
    return (exit_code, reason) == (255, "Unknown")


def static_pod(kube: Kube, part: str, node: str) -> Pod:
    """Read a static pod from the API server.

    Args:
        kube: the cluster.
        part: the component that it runs, such as ``kube-proxy``.
        node: the node whose kubelet runs it.

    Raises:
        AssertionError: there is no such pod, or it is an ordinary pod; names part and node.
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
    """Wait until exactly ``count`` pods exist and all of them are ready.

    Args:
        kube: the cluster.
        namespace: the pods' namespace.
        count: number of pods.
        selector: labels, such as ``app=redis,role=slave``; empty for all pods of the namespace.
        timeout: seconds.

    Returns:
        The pods, sorted by name.

    Raises:
        WaitTimeoutError: they are not ready in time; names each pod that is not ready and why.
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
    """Return the manifest of a pod with one container and no termination grace period.

    Args:
        name: the pod's name.
        image: an image of the depot, which is on every node and never pulled.
        labels: the pod's labels.
        node: the node to run it, without the scheduler; empty lets the scheduler choose.
        spec: further fields of the pod's spec; ``container`` has further fields of the container.
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
