"""Read a topology file into nodes, groups and networks. Pure, except for reading the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from proving_ground.core import image_matrix
from proving_ground.core.addresses import addresses_of, networks_of
from proving_ground.core.errors import UsageError
from proving_ground.core.kinds import NODES, groups_of, names_of, problems_of, unknown_groups
from proving_ground.core.lines import no_lines, yaml_lines
from proving_ground.core.overrides import blamed, overridden
from proving_ground.core.problems import Lines, nearest, refusal, shown
from proving_ground.core.schema import SCHEMAS, check
from proving_ground.core.yaml_files import parsed

MEMORY, CPUS = 1024, 1
"""Defaults of a machine: MiB of memory, number of processors."""

Common = Mapping[str, Mapping[str, Any]]
"""Networks, variables and group variables of a project, under the keys that they have in a topology file."""


@dataclass(frozen=True)
class Options:
    """What a container gets besides the usual; other providers have no such options.

    Attributes:
        volumes: ``SOURCE:TARGET`` or ``SOURCE:TARGET:ro``; a source is a path, or the name of a volume.
        tmpfs: directories in memory.
        ports: published ports, ``HOST:MACHINE`` or ``MACHINE``.
        capabilities: names of capabilities.
        environment: environment variables.
        privileged: whether it has all rights; None for the project's setting.
        cpus: the most processors that it may use; None for all of the host's.
        placement: constraints of the engines of a swarm that it may be on, as Docker has them.
    """

    volumes: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    privileged: bool | None = None
    cpus: int | None = None
    placement: tuple[str, ...] = field(default=(), repr=False)  # keys of checkpoints have what comes of it

    @property
    def given(self) -> tuple[str, ...]:
        """The keys of a topology that only containers have, and that are said."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "cpus"}
        return tuple(name for name, value in said.items() if value not in ((), None))


@dataclass(frozen=True)
class Node:
    """One machine.

    Attributes:
        name: its kind and a number, such as ``web-01``, or its kind alone.
        address: its address in the network ``machines``.
        groups: its Ansible groups.
        memory: MiB.
        cpus: number of processors.
        variables: Ansible variables of this host.
        image: its container image; empty for the project's.
        options: what its container gets besides the usual.
    """

    name: str
    address: IPv4Address
    groups: tuple[str, ...]
    memory: int
    cpus: int
    variables: dict[str, Any] = field(default_factory=dict, hash=False)
    image: str = ""
    options: Options = field(default_factory=Options)

    @property
    def facts(self) -> dict[str, str | int]:
        """The values from which Vagrant creates the machine, in JSON's types."""
        return {"name": self.name, "address": str(self.address), "memory": self.memory, "cpus": self.cpus}


@dataclass(frozen=True)
class Topology:
    """The plan of a cluster: nodes, named networks, and variables for the roles, of all hosts and by group.

    Attributes:
        existing: whether the nodes are hosts of the user's own inventory, which has no group ``nodes`` of all.
    """

    name: str
    nodes: tuple[Node, ...]
    networks: dict[str, IPv4Network]
    variables: dict[str, Any]
    group_variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    existing: bool = field(default=False, repr=False)  # keys of checkpoints have the rest

    def group(self, name: str) -> tuple[Node, ...]:
        """Return the nodes of the Ansible group ``name``, in the order of the topology; empty if there are none."""
        return tuple(node for node in self.nodes if name in node.groups)

    def node(self, name: str) -> Node:
        """Return the node ``name``.

        Raises:
            UsageError: the topology has no such node.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise UsageError(f"no machine {name!r} in topology {self.name!r}", hint=f"it has {known}")

    def named_in(self, text: str) -> tuple[Node, ...]:
        """Return the nodes whose names occur in ``text`` (a test's node id), in the order of the topology."""
        return tuple(
            node for node in self.nodes if re.search(rf"{re.escape(node.name)}(?![0-9A-Za-z])", text) is not None
        )

    def within(self, network_prefix: str | None) -> Topology:
        """Return the topology with the network ``machines`` moved to this prefix; self if None or unchanged."""
        own = self.networks["machines"]
        moved = own if network_prefix is None else IPv4Network(f"{network_prefix}.0/24")
        if moved == own:
            return self
        distance = int(moved.network_address) - int(own.network_address)
        nodes = tuple(replace(node, address=node.address + distance) for node in self.nodes)
        return replace(self, nodes=nodes, networks={**self.networks, "machines": moved})

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group's name, once, in the order of the topology."""
        return tuple(dict.fromkeys(group for node in self.nodes for group in node.groups))


def names(directory: Path) -> list[str]:
    """Return the names of the topologies in ``directory``, sorted."""
    return sorted(path.stem for path in directory.glob("*.yml"))


def load(
    directory: Path,
    name: str,
    network_prefix: str | None = None,
    common: Common | None = None,
    images: Sequence[str] = (),
    overrides: str = "",
) -> Topology:
    """Read ``directory/name.yml``.

    Args:
        directory: the directory of topology files.
        name: the file's name without ``.yml``.
        network_prefix: first three octets (``10.7.0``) that replace those of the machines' network, or None.
        common: what the project says for all its topologies; what the file says goes before it, key by key.
        images: of which there is one set of machines each; empty for one set.
        overrides: values that replace the file's, as words of a shell: ``web.count=3``.

    Raises:
        UsageError: the file does not exist, or it or an override is invalid.
    """
    path = directory / f"{name}.yml"
    known = names(directory)
    if name not in known:
        hint = nearest(name, known) if known else f"write {shown(path)}: `machines: {{web: {{}}}}` is enough"
        raise UsageError(f"unknown topology {name!r}", where="--pg-topology", hint=hint)
    text = path.read_text(encoding="utf-8")
    plan, lines = parsed(text, shown(path)), yaml_lines(text)
    return parse(
        name, plan, network_prefix, where=shown(path), lines=lines, common=common, images=images, overrides=overrides
    )


def parse(
    name: str,
    plan: Any,
    network_prefix: str | None = None,
    *,
    where: str = "topology",
    lines: Lines = no_lines,
    common: Common | None = None,
    images: Sequence[str] = (),
    overrides: str = "",
) -> Topology:
    """Turn the content of a topology file into a :class:`Topology`; arguments and errors as in :func:`load`."""
    if problems := check(plan, SCHEMAS / "topology.json"):
        raise refusal(UsageError, where, problems, lines)
    plan = overridden(plan, overrides)
    said = {key: plan.get(key) or {} for key in ("networks", "variables", "group_variables")}
    more = common or {}
    networks, problems = networks_of({**more.get("networks", {}), **said["networks"]}, network_prefix)
    if problems:
        raise refusal(UsageError, where, blamed(problems, overrides), lines)
    kinds = {kind: entry or {} for kind, entry in plan["machines"].items()}
    problems = [*problems_of(kinds)]
    if images and not problems:
        kinds = image_matrix.repeated(kinds, images)
        problems = [*problems_of(kinds)]
    problems += unknown_groups(kinds, said["group_variables"])
    if problems:
        raise refusal(UsageError, where, blamed(problems, overrides), lines)
    named, groups = names_of(kinds), groups_of(kinds)
    addresses, problems = addresses_of(kinds, networks["machines"], named)
    if problems:
        raise refusal(UsageError, where, blamed(problems, overrides), lines)
    nodes = tuple(
        node_of(name, address, groups[kind], entry)
        for kind, entry in kinds.items()
        for name, address in zip(named[kind], addresses[kind], strict=True)
    )
    variables = {**more.get("variables", {}), **said["variables"]}
    in_groups = {
        group: {**(more.get("group_variables", {}).get(group) or {}), **(said["group_variables"].get(group) or {})}
        for group in dict.fromkeys([NODES, *(group for node in nodes for group in node.groups)])
    }
    return Topology(name, nodes, networks, variables, {group: own for group, own in in_groups.items() if own})


def node_of(name: str, address: IPv4Address, groups: tuple[str, ...], entry: dict[str, Any]) -> Node:
    """Return the machine of this name, with what its kind's entry says."""
    return Node(
        name=name,
        address=address,
        groups=groups,
        memory=int(entry.get("memory", MEMORY)),
        cpus=int(entry.get("cpus", CPUS)),
        variables=dict(entry.get("variables") or {}),
        image=str(entry.get("image", "")),
        options=options_of(entry),
    )


def options_of(entry: dict[str, Any]) -> Options:
    """Return what containers of a kind get besides the usual."""
    lists = {key: tuple(entry.get(key) or ()) for key in ("volumes", "tmpfs", "ports", "capabilities", "placement")}
    environment = tuple((key, str(value)) for key, value in (entry.get("environment") or {}).items())
    return Options(**lists, environment=environment, privileged=entry.get("privileged"), cpus=entry.get("cpus"))
