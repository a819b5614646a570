"""The catalogue of cases, by what they are about."""

from __future__ import annotations

from proving_ground.kubernetes.policies.cases import Case
from proving_ground.kubernetes.policies.catalogue import changes, combinations, peers, ports, targets

CASES: tuple[Case, ...] = (*targets.CASES, *peers.CASES, *ports.CASES, *combinations.CASES, *changes.CASES)
"""All cases, in the order in which they run; their names differ."""
