"""A cluster of three namespaces for tests of the model: what runs in it, and what a set of policies allows."""

from __future__ import annotations

import yaml

from proving_ground.kubernetes.policies.model import Verdict, judge
from proving_ground.kubernetes.policies.policy import Policy
from proving_ground.kubernetes.policies.scene import Connection, Pod, Port, Protocol, Scene

PORTS = (
    Port(6379, Protocol.TCP, "redis"),
    Port(32000, Protocol.TCP, "high"),
    Port(53, Protocol.UDP, "dns"),
    Port(53, Protocol.TCP, "dns-tcp"),
    Port(7777, Protocol.SCTP),
)

SCENE = Scene(
    {"default": {}, "myproject": {"project": "myproject"}, "backend": {"namespace": "backend", "tier": "back"}},
    (
        Pod("db", "default", {"role": "db"}, PORTS, "172.16.0.1", "one"),
        Pod("frontend", "default", {"role": "frontend"}, PORTS, "172.16.0.2", "two"),
        Pod("other", "default", {"role": "other", "team": "a"}, PORTS, "172.18.0.3", "two"),
        Pod("web", "myproject", {"role": "frontend"}, PORTS, "172.17.1.5", "one"),
        Pod("job", "myproject", {}, PORTS, "172.17.2.5", "two"),
        Pod("worker", "backend", {"role": "client"}, PORTS, "10.0.0.7", "two"),
        Pod("node-one", "nodes", {"role": "frontend"}, PORTS, "192.168.0.1", "one", host_network=True),
        Pod("node-two", "nodes", {"role": "frontend"}, PORTS, "192.168.0.2", "two", host_network=True),
    ),
)


def policies(text: str) -> list[Policy]:
    """The policies of a YAML stream, each given by its spec, with ``in`` for its namespace."""
    found = []
    for number, spec in enumerate(yaml.safe_load_all(text)):
        metadata = {"name": f"p{number}", "namespace": spec.pop("in", "default")}
        found.append(Policy.read({"metadata": metadata, "spec": spec}))
    return found


def verdict(
    text: str, client: str, server: str = "default/db", port: str = "tcp:6379", scene: Scene = SCENE
) -> Verdict:
    """What policies say of one connection."""
    protocol, number = port.split(":")
    found = Port(int(number), Protocol(protocol.upper()))
    return judge(scene, policies(text), Connection(scene.pod(client), scene.pod(server), found))


def allowed(text: str, server: str = "default/db", port: str = "tcp:6379", scene: Scene = SCENE) -> set[str]:
    """The pods that may connect to a server, without the server itself and without nodes."""
    clients = (str(pod) for pod in scene.pods if not pod.host_network and str(pod) != server)
    return {client for client in clients if verdict(text, client, server, port, scene).allowed}
