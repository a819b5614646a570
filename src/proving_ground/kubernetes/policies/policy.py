"""Read a NetworkPolicy of ``networking.k8s.io/v1``: what it selects, and its rules in both directions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.policies.manifest import fields, items
from proving_ground.kubernetes.policies.scene import Pod, Port, Protocol
from proving_ground.kubernetes.policies.selectors import Selector


class Direction(StrEnum):
    """An entry of ``policyTypes``."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True)
class Block:
    """An ``ipBlock``: a range of addresses, without those of ``exceptions``."""

    cidr: IPv4Network | IPv6Network
    exceptions: tuple[IPv4Network | IPv6Network, ...] = ()

    def matches(self, address: str) -> bool:
        """Return whether the address is in the range and in none of the exceptions."""
        if not address:
            return False
        parsed = ip_address(address)
        return parsed in self.cidr and not any(parsed in each for each in self.exceptions)


@dataclass(frozen=True)
class Peer:
    """An entry of ``from`` or ``to``: pods by selectors, or addresses. Both selectors together have to match."""

    pods: Selector | None = None
    namespaces: Selector | None = None
    block: Block | None = None


@dataclass(frozen=True)
class PortRule:
    """An entry of ``ports``: a number, a range from ``port`` to ``end``, a name, or every port (None) of a protocol."""

    protocol: Protocol = Protocol.TCP
    port: int | str | None = None
    end: int | None = None

    def matches(self, port: Port, server: Pod) -> bool:
        """Return whether it covers a port of the server. A name is looked up among the server's ports."""
        if port.protocol is not self.protocol:
            return False
        if self.port is None:
            return True
        if isinstance(self.port, str):
            return any(
                (each.name, each.number, each.protocol) == (self.port, port.number, port.protocol)
                for each in server.ports
            )
        return self.port <= port.number <= (self.end or self.port)


@dataclass(frozen=True)
class Rule:
    """A rule of ``ingress`` or ``egress``. No peers means all, no ports means all, as in a manifest."""

    peers: tuple[Peer, ...] = ()
    ports: tuple[PortRule, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A network policy.

    Attributes:
        name: its name.
        namespace: the namespace whose pods it selects among.
        pods: selects the pods that it applies to.
        rules: direction → rules, of the directions that it isolates.
    """

    name: str
    namespace: str
    pods: Selector
    rules: Mapping[Direction, tuple[Rule, ...]]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @classmethod
    def read(cls, manifest: Mapping[str, Any]) -> Policy:
        """Read a manifest.

        Raises:
            UsageError: the API server would refuse it; names the field.
        """
        metadata = manifest.get("metadata") or {}
        name, namespace = str(metadata.get("name", "")), str(metadata.get("namespace", "default"))
        where = f"NetworkPolicy {namespace}/{name}"
        fields(manifest, ("apiVersion", "kind", "metadata", "spec", "status"), where)
        spec = fields(manifest.get("spec"), ("podSelector", "policyTypes", "ingress", "egress"), where)
        rules = {
            direction: tuple(
                _rule(rule, direction, f"{where}: {direction.lower()}[{number}]")
                for number, rule in enumerate(items(spec.get(direction.lower()), f"{where}: {direction.lower()}"))
            )
            for direction in _directions(spec, where)
        }
        return cls(name, namespace, Selector.read(spec.get("podSelector"), f"{where}: podSelector"), rules)


def _directions(spec: Mapping[str, Any], where: str) -> list[Direction]:
    """Return the directions that a policy isolates: without ``policyTypes`` ingress, and egress if it has a rule."""
    given = items(spec.get("policyTypes"), f"{where}: policyTypes")
    if not given:
        return [Direction.INGRESS, *([Direction.EGRESS] if spec.get("egress") else [])]
    for each in given:
        if each not in list(Direction):
            raise UsageError(f"there is no policy type {each!r}", where=where, hint=f"use {' or '.join(Direction)}")
    return [Direction(each) for each in given]


def _rule(rule: object, direction: Direction, where: str) -> Rule:
    key = "from" if direction is Direction.INGRESS else "to"
    given = fields(rule, (key, "ports"), where)
    peers = enumerate(items(given.get(key), f"{where}.{key}"))
    ports = enumerate(items(given.get("ports"), f"{where}.ports"))
    return Rule(
        tuple(_peer(peer, f"{where}.{key}[{number}]") for number, peer in peers),
        tuple(_port(port, f"{where}.ports[{number}]") for number, port in ports),
    )


def _peer(peer: object, where: str) -> Peer:
    named = fields(peer, ("podSelector", "namespaceSelector", "ipBlock"), where)
    given = {key: value for key, value in named.items() if value is not None}
    if not given or ("ipBlock" in given and len(given) > 1):
        raise UsageError("a peer has selectors, or an ipBlock, and never both", where=where)
    if "ipBlock" in given:
        return Peer(block=_block(given["ipBlock"], f"{where}.ipBlock"))
    pods, namespaces = (
        Selector.read(given[key], f"{where}.{key}") if key in given else None
        for key in ("podSelector", "namespaceSelector")
    )
    return Peer(pods, namespaces)


def _block(block: object, where: str) -> Block:
    given = fields(block, ("cidr", "except"), where)
    try:
        cidr = ip_network(str(given.get("cidr")))
        exceptions = tuple(ip_network(str(each)) for each in items(given.get("except"), f"{where}.except"))
    except ValueError as error:
        raise UsageError(str(error), where=where) from error
    for each in exceptions:
        if each.version != cidr.version or not each.subnet_of(cidr) or each == cidr:  # type: ignore[arg-type]
            raise UsageError(f"{each} is no part of {cidr}", where=f"{where}.except")
    return Block(cidr, exceptions)


def _port(port: object, where: str) -> PortRule:
    given = fields(port, ("protocol", "port", "endPort"), where)
    number, end = given.get("port"), given.get("endPort")
    protocol = str(given.get("protocol") or Protocol.TCP)
    if protocol not in list(Protocol):
        raise UsageError(f"there is no protocol {protocol!r}", where=where, hint=f"use {', '.join(Protocol)}")
    if end is not None and (not isinstance(number, int) or end < number):
        raise UsageError("endPort needs a port that is a number and not above it", where=where)
    return PortRule(Protocol(protocol), number, end)
