"""A case of the catalogue: a name, policies, and what changes while it runs. Pure.

A case is a series of states of the cluster. What is allowed in each is computed by the model, so a case has no
expectations of its own that could be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_network
from typing import Any

from proving_ground.kubernetes.policies.model import Verdict, judge
from proving_ground.kubernetes.policies.policy import Policy
from proving_ground.kubernetes.policies.scene import Connection, Protocol, Scene

Manifest = Mapping[str, Any]
"""A NetworkPolicy, as YAML has it."""

POD = re.compile(r"\{([^{}/]+/[^{}/]+)\}")
"""A pod within a text of a manifest, such as ``{x/a}/24``: stands for its address."""


@dataclass(frozen=True)
class State:
    """What the cluster has at one time.

    Attributes:
        scene: namespaces, pods, and their labels.
        policies: ``namespace/name`` → manifest.
    """

    scene: Scene
    policies: Mapping[str, Manifest] = field(default_factory=dict)

    @cached_property
    def verdicts(self) -> dict[Connection, Verdict]:
        """What the model says of every connection."""
        read = [Policy.read(manifest) for manifest in self.policies.values()]
        return {connection: judge(self.scene, read, connection) for connection in self.scene.connections()}


Change = Callable[[State], State]
"""Returns the state after something has changed."""


def with_policies(*manifests: Manifest) -> Change:
    """Create policies, or replace those of the same name."""

    def change(state: State) -> State:
        made = {key_of(manifest): filled(manifest, state.scene) for manifest in manifests}
        return replace(state, policies={**state.policies, **made})

    return change


def without_policy(key: str) -> Change:
    """Delete the policy ``namespace/name``."""

    def change(state: State) -> State:
        return replace(state, policies={each: kept for each, kept in state.policies.items() if each != key})

    return change


def pod_labels(key: str, **labels: str) -> Change:
    """Give the pod ``namespace/name`` these labels in place of its own."""
    return lambda state: replace(state, scene=state.scene.with_pod_labels(key, labels))


def namespace_labels(name: str, **labels: str) -> Change:
    """Give the namespace these labels in place of its own."""
    return lambda state: replace(state, scene=state.scene.with_namespace_labels(name, labels))


@dataclass(frozen=True)
class Step:
    """One change, and what it is in words."""

    what: str
    change: Change


@dataclass(frozen=True)
class Case:
    """A case.

    Attributes:
        name: what it is about, a fragment of a sentence.
        steps: the changes, one after the other, from a cluster without policies.
        one_sided: the reason why a table of it may lack connected or blocked pairs; empty if none may.
        unchanged: the reason why a step may change no connection; empty if none may.
    """

    name: str
    steps: tuple[Step, ...]
    one_sided: str = ""
    unchanged: str = ""

    def __str__(self) -> str:
        return self.name

    def states(self, start: State) -> list[tuple[str, State]]:
        """Return after each step what has changed, and the state."""
        states, state = [], start
        for step in self.steps:
            state = step.change(state)
            states.append((step.what, state))
        return states

    def protocols(self, start: State) -> set[Protocol]:
        """Return the protocols that its policies name; a scene has to serve them."""
        policies = (Policy.read(each) for _, state in self.states(start) for each in state.policies.values())
        rules = (rule for policy in policies for rules in policy.rules.values() for rule in rules)
        return {port.protocol for rule in rules for port in rule.ports}

    def flaws(self, start: State, states: Sequence[tuple[str, State]] = ()) -> list[str]:
        """Return why the case would show nothing: a table without connected or blocked pairs, a step without effect.

        Args:
            start: the state before.
            states: those after each step, if they are known.
        """
        found, before = [], start
        for what, state in states or self.states(start):
            pairs = state.verdicts.items()
            allowed = {verdict.allowed for each, verdict in pairs if each.client is not each.server}
            if len(allowed) < 2 and not self.one_sided:
                found.append(f"{what}: every connection is {'allowed' if True in allowed else 'blocked'}")
            if not self.unchanged and is_same(before, state):
                found.append(f"{what}: no connection changes")
            before = state
        return found


def is_same(one: State, other: State) -> bool:
    """Return whether the same connections are allowed in two states of one scene."""
    pairs = zip(one.verdicts.values(), other.verdicts.values(), strict=True)
    return all(before.allowed == after.allowed for before, after in pairs)


def key_of(manifest: Manifest) -> str:
    """Return a policy's ``namespace/name``."""
    return f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"


def filled(value: Any, scene: Scene) -> Any:
    """Return a manifest with addresses: ``{x/a}/24`` is the network of that length that the pod x/a is in.

    ``{x/a}`` alone is the network of only its address.
    """
    if isinstance(value, Mapping):
        return {key: filled(each, scene) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, scene) for each in value]
    if isinstance(value, str) and POD.search(value):
        return str(ip_network(POD.sub(lambda found: scene.pod(found[1]).address, value), strict=False))
    return value
