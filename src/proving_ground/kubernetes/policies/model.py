"""What network policies allow, by the specification of ``networking.k8s.io/v1``. Pure.

Two exceptions are no matter of rules: a pod always reaches itself, and a pod is always reached from its own node (the
specification's "traffic from the pod's local node", without which kubelets could not check a pod's health). What a pod
sends to its own node is judged by rules: the implementations differ there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proving_ground.kubernetes.policies.policy import Direction, Peer, Policy, Rule
from proving_ground.kubernetes.policies.scene import Connection, Pod, Scene


@dataclass(frozen=True)
class Verdict:
    """Whether a connection is allowed, and why, in words for a person who wonders."""

    allowed: bool
    reason: str


def judge(scene: Scene, policies: Iterable[Policy], connection: Connection) -> Verdict:
    """Decide whether a connection is allowed: the client's egress and the server's ingress both have to allow it.

    Args:
        scene: the namespaces, whose labels selectors ask for.
        policies: all policies of the cluster.
        connection: client, server, and the server's port.
    """
    client, server = connection.client, connection.server
    if str(client) == str(server):
        return Verdict(True, "a pod reaches itself")
    given = list(policies)
    egress = _side(scene, given, connection, Direction.EGRESS)
    if not egress.allowed:
        return egress
    if client.host_network and client.node and client.node == server.node:
        return Verdict(True, "a pod is reached from its own node")
    ingress = _side(scene, given, connection, Direction.INGRESS)
    if not ingress.allowed:
        return ingress
    return Verdict(True, f"{egress.reason}; {ingress.reason}")


def _side(scene: Scene, policies: Iterable[Policy], connection: Connection, direction: Direction) -> Verdict:
    """Judge one direction: policies are added up, and a pod that none selects is open."""
    ingress = direction is Direction.INGRESS
    own, other = (connection.server, connection.client) if ingress else (connection.client, connection.server)
    word = direction.lower()
    applied = [each for each in policies if direction in each.rules and _applies(each, own)]
    if not applied:
        return Verdict(True, f"no policy isolates the {word} of {own}")
    for policy in applied:
        for number, rule in enumerate(policy.rules[direction]):
            if _matches(scene, policy, rule, other, connection):
                return Verdict(True, f"{policy} {word}[{number}] allows it")
    return Verdict(False, f"no rule of {', '.join(map(str, applied))} allows the {word} of {own}")


def _applies(policy: Policy, pod: Pod) -> bool:
    return not pod.host_network and policy.namespace == pod.namespace and policy.pods.matches(pod.labels)


def _matches(scene: Scene, policy: Policy, rule: Rule, other: Pod, connection: Connection) -> bool:
    by_peer = not rule.peers or any(_is_peer(scene, policy, peer, other) for peer in rule.peers)
    return by_peer and (not rule.ports or any(each.matches(connection.port, connection.server) for each in rule.ports))


def _is_peer(scene: Scene, policy: Policy, peer: Peer, pod: Pod) -> bool:
    """Return whether a peer names the pod; without ``namespaceSelector`` pods are of the policy's namespace."""
    if peer.block is not None:
        return peer.block.matches(pod.address)
    if pod.host_network:
        return False
    if peer.namespaces is None:
        if pod.namespace != policy.namespace:
            return False
    elif not peer.namespaces.matches(scene.labels_of(pod.namespace)):
        return False
    return peer.pods is None or peer.pods.matches(pod.labels)
