"""Which DaemonSets would run on simulated nodes."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.kubernetes.simulated_nodes.daemon_sets import that_want
from proving_ground.kubernetes.simulated_nodes.manifests import TOLERATION, node

NODE = node(0, "simulated-0001", "me")
EVERYTHING = [{"operator": "Exists"}]


def affinity(**rule: Any) -> dict[str, Any]:
    """A required affinity of one expression."""
    terms = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def wants(**pod: Any) -> bool:
    """Return whether a DaemonSet of such pods would run there."""
    one = {"metadata": {"namespace": "net", "name": "agent"}, "spec": {"template": {"spec": pod}}}
    return that_want([one], NODE) == ["net/agent"]


@pytest.mark.parametrize(
    "tolerations",
    [
        EVERYTHING,
        [{"operator": "Exists", "effect": "NoSchedule"}],
        [TOLERATION],
        [{"key": TOLERATION["key"], "value": "fake"}],
    ],
)
def test_one_that_tolerates_the_taint_would(tolerations: list[dict[str, str]]) -> None:
    assert wants(tolerations=tolerations)


@pytest.mark.parametrize(
    "tolerations",
    [
        None,
        [],
        [{"operator": "Exists", "effect": "NoExecute"}],
        [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
        [{"key": TOLERATION["key"], "value": "other"}],
    ],
)
def test_one_that_does_not_tolerate_it_would_not(tolerations: list[dict[str, str]] | None) -> None:
    assert not wants(tolerations=tolerations)


@pytest.mark.parametrize(
    ("rule", "would"),
    [
        ({"key": "type", "operator": "NotIn", "values": ["kwok"]}, False),
        ({"key": "type", "operator": "DoesNotExist"}, False),
        ({"key": "type", "operator": "In", "values": ["kwok"]}, True),
        ({"key": "kubernetes.io/os", "operator": "Exists"}, True),
        ({"key": "cpus", "operator": "Gt", "values": ["3"]}, False),
    ],
)
def test_a_required_affinity_decides(rule: dict[str, Any], would: bool) -> None:
    assert wants(tolerations=EVERYTHING, affinity=affinity(**rule)) is would


def test_a_selector_decides() -> None:
    assert wants(tolerations=EVERYTHING, nodeSelector={"kubernetes.io/os": "linux"})
    assert not wants(tolerations=EVERYTHING, nodeSelector={"node-role.kubernetes.io/worker": ""})
