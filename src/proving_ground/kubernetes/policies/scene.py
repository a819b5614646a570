"""The pods, ports and namespaces that network policies are about. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace: its name."""


class Protocol(StrEnum):
    """A protocol that a network policy can name."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


@dataclass(frozen=True)
class Port:
    """A port of a pod: its number, protocol, and the name in the container's list of ports; empty without a name."""

    number: int
    protocol: Protocol = Protocol.TCP
    name: str = ""

    def __str__(self) -> str:
        return f"{self.protocol.lower()}:{self.number}"


@dataclass(frozen=True)
class Pod:
    """One end of a connection.

    Attributes:
        name: unique within its namespace.
        namespace: name of its namespace.
        labels: its labels.
        ports: the ports that it serves.
        address: its IP address, which an ``ipBlock`` is compared with.
        node: name of its node.
        host_network: whether it uses its node's network. Policies do not apply to such a pod, and no selector finds
            it: it stands for the node, or for anything outside of the pod network.
    """

    name: str
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: tuple[Port, ...] = ()
    address: str = ""
    node: str = ""
    host_network: bool = False

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Connection:
    """A client, a server, and the server's port."""

    client: Pod
    server: Pod
    port: Port

    def __str__(self) -> str:
        return f"{self.client} → {self.server} {self.port}"


@dataclass(frozen=True)
class Scene:
    """Namespaces with their labels, and the pods in them.

    Attributes:
        namespaces: namespace's name → its labels.
        pods: all pods.
    """

    namespaces: Mapping[str, Mapping[str, str]]
    pods: tuple[Pod, ...]

    def labels_of(self, namespace: str) -> Mapping[str, str]:
        """Return the namespace's labels, with the one that the API server gives it."""
        return {NAME_LABEL: namespace, **self.namespaces[namespace]}

    def pod(self, key: str) -> Pod:
        """Return the pod ``namespace/name``.

        Raises:
            KeyError: there is none.
        """
        for pod in self.pods:
            if str(pod) == key:
                return pod
        raise KeyError(f"no pod {key}")

    def connections(self) -> Iterator[Connection]:
        """Return every pod's connections to every port of every pod, itself included."""
        for client in self.pods:
            for server in self.pods:
                for port in server.ports:
                    yield Connection(client, server, port)

    def with_pod_labels(self, key: str, labels: Mapping[str, str]) -> Scene:
        """Return the scene after the pod ``namespace/name`` has got ``labels`` in place of its own."""
        changed = replace(self.pod(key), labels=dict(labels))
        return replace(self, pods=tuple(changed if str(pod) == key else pod for pod in self.pods))

    def with_namespace_labels(self, namespace: str, labels: Mapping[str, str]) -> Scene:
        """Return the scene after the namespace has got ``labels`` in place of its own.

        Raises:
            KeyError: there is no such namespace.
        """
        if namespace not in self.namespaces:
            raise KeyError(f"no namespace {namespace}")
        return replace(self, namespaces={**self.namespaces, namespace: dict(labels)})
