"""Bring a scene to life on a cluster: namespaces and probe pods, and every state of theirs that a case goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import Namespaces
from proving_ground.kubernetes.policies.cases import Manifest, State
from proving_ground.kubernetes.policies.scene import NAME_LABEL, Pod, Protocol, Scene
from proving_ground.kubernetes.probe_answers import ProbePod
from proving_ground.kubernetes.probe_sessions import ProbeSessions
from proving_ground.kubernetes.probes import Probes

TIMEOUT_MS = 500
"""Milliseconds after which a connection counts as blocked; all of a table are tested at the same time."""


@dataclass
class Stage:
    """A scene's pods on a cluster, and the state that they are in.

    Attributes:
        kube: the cluster.
        names: namespace of the scene → its name on the cluster, which is unique.
        pods: pod of the scene, as ``namespace/name`` → the pod on the cluster.
        state: the state that the cluster was brought to.
        ask: tests connections.
    """

    kube: Kube
    names: Mapping[str, str]
    pods: Mapping[str, ProbePod]
    state: State
    ask: ProbeSessions

    def become(self, wanted: State) -> None:
        """Bring the cluster from its state to another one: labels first, then policies."""
        present, self.state = self.state, wanted
        for name, labels in wanted.scene.namespaces.items():
            if labels != (old := present.scene.namespaces[name]):
                self.kube.core.patch_namespace(self.names[name], labels_patch(old, labels))
        for before, after in zip(present.scene.pods, wanted.scene.pods, strict=True):
            if before.labels != after.labels:
                pod = self.pods[str(after)]
                self.kube.core.patch_namespaced_pod(pod.name, pod.namespace, labels_patch(before.labels, after.labels))
        for key in present.policies:
            if key not in wanted.policies:
                namespace, _, name = key.partition("/")
                self.kube.networking.delete_namespaced_network_policy(name, self.names[namespace])
        for key, manifest in wanted.policies.items():
            if manifest != present.policies.get(key):
                self._put(key, manifest, is_new=key not in present.policies)

    def _put(self, key: str, manifest: Manifest, *, is_new: bool) -> None:
        namespace, _, name = key.partition("/")
        body = {"metadata": {"name": name}, "spec": renamed(manifest["spec"], self.names)}
        if is_new:
            self.kube.networking.create_namespaced_network_policy(self.names[namespace], body)
        else:
            self.kube.networking.replace_namespaced_network_policy(name, self.names[namespace], body)

    def close(self, namespaces: Namespaces) -> None:
        """End the probes' commands and delete the namespaces."""
        self.ask.close()
        for name in self.names.values():
            namespaces.delete(name)


def start(scene: Scene, probes: Probes, kube: Kube, namespaces: Namespaces) -> Stage:
    """Create the namespaces and pods of a scene, spread over all nodes that are ready.

    SCTP is left out where the nodes' kernels have none.
    """
    nodes = ready_nodes(kube)
    names = {name: namespaces.create(f"policy-{name}", labels) for name, labels in scene.namespaces.items()}
    order = [(pod, nodes[place(scene, pod) % len(nodes)]) for pod in scene.pods]
    wanted: dict[str, list[Mapping[str, Any]]] = {real: [] for real in names.values()}
    for pod, node in order:
        manifest = probes.manifest(f"{pod.namespace}-{pod.name}", node, ports=pod.ports)
        manifest["metadata"]["labels"] = dict(pod.labels)
        wanted[names[pod.namespace]].append(manifest)
    probes.start(wanted)
    pods = {str(pod): probes.pods[f"{pod.namespace}-{pod.name}"] for pod in scene.pods}
    living = tuple(replace(pod, address=pods[str(pod)].address, node=pods[str(pod)].node) for pod in scene.pods)
    addresses = {
        f"{pod} {port}": f"{port.protocol.lower()}:{host_of(pod.address)}:{port.number}"
        for pod in living
        for port in pod.ports
    }
    ask = ProbeSessions(kube, pods, addresses, TIMEOUT_MS)
    stage = Stage(kube, names, pods, State(replace(scene, pods=living)), ask)
    return stage if has_sctp(stage) else without(stage, Protocol.SCTP)


def host_of(address: str) -> str:
    """Return an address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def place(scene: Scene, pod: Pod) -> int:
    """Return a pod's place among the nodes: pods of one namespace, and those of one name, are on different ones."""
    inside = [each for each in scene.pods if each.namespace == pod.namespace]
    return inside.index(pod) + list(scene.namespaces).index(pod.namespace)


def ready_nodes(kube: Kube) -> list[str]:
    """Return the names of the nodes that are Ready and not cordoned.

    Raises:
        UsageError: there is none.
    """
    found = [
        str(node.metadata.name)
        for node in kube.nodes()
        if not node.spec.unschedulable
        and any(each.type == "Ready" and each.status == "True" for each in node.status.conditions or [])
    ]
    if not found:
        raise UsageError("no node is ready", where=str(kube.kubeconfig))
    return sorted(found)


def has_sctp(stage: Stage) -> bool:
    """Return whether all pods' kernels have SCTP: those without say "protocol not supported" to a client."""
    plan = {
        str(pod): [f"{pod} {port}"]
        for pod in stage.state.scene.pods
        for port in pod.ports
        if port.protocol is Protocol.SCTP
    }
    return not any("not supported" in found.reason for found in stage.ask(plan).values())


def without(stage: Stage, protocol: Protocol) -> Stage:
    """Return the stage with a scene that does not serve a protocol."""
    scene = stage.state.scene
    pods = tuple(
        replace(pod, ports=tuple(port for port in pod.ports if port.protocol is not protocol)) for pod in scene.pods
    )
    return replace(stage, state=State(replace(scene, pods=pods)))


def labels_patch(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Any]:
    """Return the patch that makes new labels of old ones."""
    return {"metadata": {"labels": {**dict.fromkeys(old, None), **new}}}


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a policy's spec with the cluster's names of namespaces, where it selects them by name."""
    if isinstance(value, Mapping):
        if value.get("key") == NAME_LABEL:
            return {**value, "values": [names.get(each, each) for each in value.get("values", ())]}
        return {
            key: names.get(each, each) if key == NAME_LABEL else renamed(each, names) for key, each in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [renamed(each, names) for each in value]
    return value
