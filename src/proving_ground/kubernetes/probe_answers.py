"""Probe pods, and what their answers say of connections. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.reachability import Observation, Outcome, Table


@dataclass(frozen=True)
class ProbePod:
    """A probe pod: name, namespace, node, address, and whether it uses its node's network."""

    name: str
    namespace: str
    node: str
    address: str
    host_network: bool = False


def observed(source: str, targets: Sequence[str], answers: Sequence[Mapping[str, Any]]) -> Table:
    """Return what a probe's answers say of the connections from ``source`` to ``targets``, which are in their order."""
    return {
        (source, target): Observation(
            Outcome(answer["outcome"]), answer.get("client_address", ""), answer.get("reason", "")
        )
        for target, answer in zip(targets, answers, strict=True)
    }


def broken(source: str, targets: Sequence[str], error: Exception) -> Table:
    """Return that nothing is known of the connections from ``source``, as its probe broke."""
    return {(source, target): Observation(Outcome.ERROR, reason=str(error)) for target in targets}
