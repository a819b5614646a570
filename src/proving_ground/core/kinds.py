"""Name the machines of each kind in a plan, and their groups; find what cannot be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from proving_ground.core.problems import Problem, nearest

RESERVED = ("all", "localhost", "nodes", "ungrouped")
"""Names that the generated inventory or Ansible already uses."""

NODES = "nodes"
"""The generated inventory's group of all machines."""

LONGEST = 63
"""The most characters of a host's name."""

Kinds = dict[str, dict[str, Any]]
"""Entries of a plan's ``machines`` by kind."""


def number(entry: dict[str, Any]) -> int:
    """Return the number of machines of a kind."""
    return int(entry.get("count", 1))


def names_of(kinds: Kinds) -> dict[str, list[str]]:
    """Return the names of each kind's machines: ``web-01`` and so on, or the kind's with ``numbered = false``."""
    return {
        kind: [f"{kind}-{each:02d}" for each in range(1, number(entry) + 1)] if entry.get("numbered", True) else [kind]
        for kind, entry in kinds.items()
    }


def groups_of(kinds: Kinds) -> dict[str, tuple[str, ...]]:
    """Return the groups of each kind's machines.

    By default that is one, called as the kind, but none where the machine has that name: Ansible warns of a group and a
    host with one name.
    """
    groups = {}
    for kind, entry in kinds.items():
        usual = [re.sub(r"\W", "_", kind)] if entry.get("numbered", True) else []
        groups[kind] = tuple(entry.get("groups", usual))
    return groups


def problems_of(kinds: Kinds) -> Iterator[Problem]:
    """Yield the problems with the names of machines and groups."""
    for kind, entry in kinds.items():
        if not entry.get("numbered", True) and number(entry) > 1:
            yield Problem(("machines", kind, "count"), "machines without a number are one", "drop count, or numbered")
    yield from shared_ports(kinds)
    taken: dict[str, str] = {}
    for kind, names in names_of(kinds).items():
        for name in names:
            if name in RESERVED:
                yield Problem(("machines", kind), f"a machine cannot be called {name}", "choose another name")
            if len(name) > LONGEST:
                text = f"{name} has {len(name)} characters, a machine's name at most {LONGEST}"
                yield Problem(("machines", kind), text, "choose a shorter name")
            if name in taken:
                text = f"two machines are called {name}: one of kind {taken[name]}"
                yield Problem(("machines", kind), text, "choose another name")
            taken[name] = kind
    for kind, groups in groups_of(kinds).items():
        for group in groups:
            if group in RESERVED:
                hint = "the inventory has one already"
                yield Problem(("machines", kind), f"a group cannot be called {group}", hint)


def shared_ports(kinds: Kinds) -> Iterator[Problem]:
    """Yield a problem for each port of the host that more than one machine would publish."""
    taken: set[str] = set()
    for kind, entry in kinds.items():
        for index, port in enumerate(entry.get("ports") or []):
            at_host, _, at_machine = port.rpartition(":")
            fixed = at_host.rpartition(":")[2]
            if fixed and (number(entry) > 1 or fixed in taken):
                text = f"more than one machine would have port {fixed} of the host"
                hint = f'write "{at_machine}": the engine chooses a free one'
                yield Problem(("machines", kind, "ports", index), text, hint)
            taken.add(fixed)


def unknown_groups(kinds: Kinds, named: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each group in ``named`` (the plan's ``group_variables``) that no machine is in."""
    known = [NODES, *dict.fromkeys(group for groups in groups_of(kinds).values() for group in groups)]
    for group in named:
        if group not in known:
            hint = "write variables" if group == "all" else nearest(group, known)
            yield Problem(("group_variables", group), "no machine is in this group", hint)
