"""Reads a topology file into nodes, groups and networks. Pure but for reading the file."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import yaml

from proving_ground.core.errors import UsageError, not_yaml

LARGEST_COUNT = 9
"""Addresses are 10.0.0.1xy with y = 1…9: there is room for nine machines of a kind."""


@dataclass(frozen=True)
class Node:
    """One machine: its name, its address on the machines' network, its Ansible groups, MiB of memory, CPUs."""

    name: str
    address: IPv4Address
    groups: tuple[str, ...]
    memory: int
    cpus: int


@dataclass(frozen=True)
class Topology:
    """The plan of a cluster: nodes, named networks, and variables for the roles."""

    name: str
    nodes: tuple[Node, ...]
    networks: dict[str, IPv4Network]
    variables: dict[str, Any]

    def group(self, name: str) -> tuple[Node, ...]:
        """Nodes of the Ansible group ``name``, in the order of the plan; empty when there is none."""
        return tuple(node for node in self.nodes if name in node.groups)

    def node(self, name: str) -> Node:
        """The node called ``name``.

        Raises:
            UsageError: the topology has no such node.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise UsageError(f"no machine {name!r} in topology {self.name!r}", hint=f"it has {known}")

    def named_in(self, text: str) -> tuple[Node, ...]:
        """Nodes whose names ``text`` holds, in the order of the plan: those that a test's identifier is about."""
        return tuple(node for node in self.nodes if node.name in text)

    def within(self, network_prefix: str | None) -> Topology:
        """The same plan with the machines' network moved to another prefix; itself where that is None or its own."""
        own = self.networks["machines"]
        moved = own if network_prefix is None else IPv4Network(f"{network_prefix}.0/24")
        if moved == own:
            return self
        distance = int(moved.network_address) - int(own.network_address)
        nodes = tuple(replace(node, address=node.address + distance) for node in self.nodes)
        return replace(self, nodes=nodes, networks={**self.networks, "machines": moved})

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group's name, once, in the order of the plan."""
        return tuple(dict.fromkeys(group for node in self.nodes for group in node.groups))


def names(directory: Path) -> list[str]:
    """Names of the topologies that ``directory`` holds, sorted."""
    return sorted(path.stem for path in directory.glob("*.yml"))


def load(directory: Path, name: str, network_prefix: str | None = None) -> Topology:
    """Read ``directory/name.yml``.

    Args:
        directory: where topology files lie.
        name: the file's name without ``.yml``.
        network_prefix: first three octets (``10.7.0``) that replace those of the machines' network, or None.

    Raises:
        UsageError: there is no such file, or what it asks for cannot be.
    """
    path = directory / f"{name}.yml"
    if name not in names(directory):
        known = ", ".join(names(directory))
        raise UsageError(f"unknown topology {name!r}", where="--pg-topology", hint=f"choose one of: {known}")
    try:
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(not_yaml(error), where=str(path)) from error
    return parse(name, plan, network_prefix, where=str(path))


def parse(name: str, plan: Any, network_prefix: str | None = None, *, where: str = "topology") -> Topology:
    """Turn the content of a topology file into a :class:`Topology`; arguments and errors as in :func:`load`."""
    if not isinstance(plan, dict) or not isinstance(plan.get("networks"), dict) or not plan.get("machines"):
        raise UsageError("needs the keys networks and machines", where=where, hint="see topology/default.yml")
    raw = dict(plan["networks"])
    if network_prefix is not None:
        raw["machines"] = f"{network_prefix}.0/24"
    networks = {key: _network(key, value, where, network_prefix) for key, value in raw.items()}
    if "machines" not in networks:
        raise UsageError("needs networks.machines", where=where, hint="see topology/default.yml")
    for (one, left), (other, right) in itertools.combinations(networks.items(), 2):
        if left.overlaps(right):
            raise UsageError(f"networks {one} ({left}) and {other} ({right}) overlap", where=where, hint="change one")
    nodes = [node for kind, entry in plan["machines"].items() for node in _nodes(kind, entry, networks, where)]
    for one_node, other_node in itertools.combinations(nodes, 2):
        if one_node.address == other_node.address:
            raise UsageError(f"{one_node.name} and {other_node.name} share {one_node.address}", where=where)
    return Topology(name, tuple(nodes), networks, dict(plan.get("variables") or {}))


def _network(key: str, value: Any, where: str, network_prefix: str | None) -> IPv4Network:
    try:
        network = IPv4Network(str(value))
    except ValueError as error:
        source = (
            "--pg-network-prefix" if key == "machines" and network_prefix is not None else f"{where}: networks.{key}"
        )
        raise UsageError(f"{value!r} is no IPv4 network", where=source, hint="write it like 10.0.0.0/24") from error
    return network


def _nodes(kind: str, entry: Any, networks: dict[str, IPv4Network], where: str) -> list[Node]:
    place = f"{where}: machines.{kind}"
    try:
        count, octet = entry.get("count", 1), entry["octet"]
        groups, memory, cpus = tuple(entry["groups"]), int(entry["memory"]), int(entry["cpus"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "needs groups, octet, memory and cpus", where=place, hint="see topology/default.yml"
        ) from error
    if not isinstance(count, int) or not 1 <= count <= LARGEST_COUNT:
        raise UsageError(f"count is {count!r}", where=place, hint=f"choose 1…{LARGEST_COUNT}")
    base = networks["machines"].network_address
    if not isinstance(octet, int) or not 1 < octet <= octet + count - 1 < networks["machines"].num_addresses - 1:
        raise UsageError(f"octet {octet!r} leaves {networks['machines']}", where=place, hint="see topology/default.yml")
    return [Node(f"{kind}-{number + 1:02d}", base + octet + number, groups, memory, cpus) for number in range(count)]
