"""Place machines on the engines of a swarm: where their constraints allow it, and evenly. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import closest
from proving_ground.core.topology import Node

CONSTRAINT = re.compile(r"\s*(?P<key>\S+?)\s*(?P<operator>==|!=)\s*(?P<value>.+?)\s*")
"""A constraint in Docker's words: ``node.labels.zone == a``."""


@dataclass(frozen=True)
class Member:
    """An engine as a node of its swarm.

    Attributes:
        engine: how the client is told to reach it: a Docker host, or the name of a context.
        attributes: what constraints may name (``node.hostname``, ``node.labels.zone``) → its value.
    """

    engine: str
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def meets(self, constraint: str) -> bool:
        """Return whether a machine with this constraint may be here; as Docker's, it ignores case in values."""
        found = CONSTRAINT.fullmatch(constraint)
        assert found is not None, "the schema has refused it"
        same = self.attributes.get(found["key"], "").lower() == found["value"].lower()
        return same == (found["operator"] == "==")


def place(machines: Sequence[Node], members: Sequence[Member]) -> dict[str, str]:
    """Choose the engine of each machine.

    Each goes to the engine with the fewest machines among those that its constraints allow, the first of equals. Those
    with the fewest engines to choose from come first, in the order of the topology; so the same plan on the same
    engines comes to the same result.

    Args:
        machines: in the order of the topology.
        members: the engines, at least one, in the order of the settings.

    Returns:
        name of a machine → its engine, in the order of ``machines``.

    Raises:
        UsageError: no engine meets the constraints of a machine.
    """
    allowed = {node.name: _allowed(node, members) for node in machines}
    load = {each.engine: 0 for each in members}
    found: dict[str, str] = {}
    for name in sorted(allowed, key=lambda name: len(allowed[name])):
        found[name] = min(allowed[name], key=load.__getitem__)
        load[found[name]] += 1
    return {node.name: found[node.name] for node in machines}


def _allowed(node: Node, members: Sequence[Member]) -> list[str]:
    constraints = node.options.placement
    allowed = [each.engine for each in members if all(each.meets(one) for one in constraints)]
    if allowed:
        return allowed
    alone = [one for one in constraints if not any(each.meets(one) for each in members)]
    text = f"no engine has {' and '.join(alone or constraints)}"
    raise UsageError(text, where=f"placement of {node.name}", hint=_hint((alone or constraints)[0], members))


def _hint(constraint: str, members: Sequence[Member]) -> str:
    """Say what the engines have instead, or how one gets the label."""
    found = CONSTRAINT.fullmatch(constraint)
    assert found is not None, "the schema has refused it"
    key = found["key"]
    if here := [f"{each.attributes[key]} on {each.engine}" for each in members if each.attributes.get(key)]:
        return f"it is {', '.join(here)}"
    above, _, label = key.rpartition(".")
    known = [name.rpartition(".")[2] for each in members for name in each.attributes if name.startswith(f"{above}.")]
    if (close := closest(label, known)) is not None:
        return f"did you mean {above}.{close}?"
    return f"give a node the label: `docker node update --label-add {label}={found['value']} NODE`"
