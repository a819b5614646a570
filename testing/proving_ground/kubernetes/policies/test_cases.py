"""Cases: their states, what is wrong with a case that shows nothing, and addresses in manifests."""

from __future__ import annotations

import pytest

from proving_ground.kubernetes.policies.cases import (
    Case,
    State,
    Step,
    filled,
    namespace_labels,
    pod_labels,
    with_policies,
    without_policy,
)
from testing.proving_ground.kubernetes.policies.cluster import SCENE

OPEN = State(SCENE)
DENY = {"metadata": {"namespace": "default", "name": "deny"}, "spec": {"podSelector": {}}}
ALLOW = {"metadata": {"namespace": "default", "name": "allow"}, "spec": {"podSelector": {}, "ingress": [{}]}}


def test_a_case_is_a_series_of_states() -> None:
    case = Case(
        "all of it",
        (
            Step("closed", with_policies(DENY)),
            Step("a label", pod_labels("default/db", role="web")),
            Step("a namespace's", namespace_labels("backend", tier="x")),
            Step("another", with_policies(ALLOW)),
            Step("open", without_policy("default/deny")),
        ),
    )
    states = dict(case.states(OPEN))
    assert list(states) == ["closed", "a label", "a namespace's", "another", "open"]
    assert list(states["closed"].policies) == ["default/deny"]
    assert states["a label"].scene.pod("default/db").labels == {"role": "web"}
    assert states["open"].scene.namespaces["backend"] == {"tier": "x"}
    assert list(states["open"].policies) == ["default/allow"]
    assert OPEN.policies == {}, "states are values"


def test_a_case_that_shows_nothing_is_refused_unless_it_says_why() -> None:
    case = Case("nothing", (Step("open to all", with_policies(ALLOW)),))
    assert case.flaws(OPEN) == ["open to all: every connection is allowed", "open to all: no connection changes"]
    said = Case("nothing", case.steps, one_sided="an empty rule", unchanged="an empty rule")
    assert said.flaws(OPEN) == []


def test_a_case_with_connected_and_blocked_pairs_is_taken() -> None:
    assert Case("closed", (Step("closed", with_policies(DENY)),)).flaws(OPEN) == []


def test_a_step_without_effect_is_found_behind_one_that_has_an_effect() -> None:
    case = Case("twice", (Step("closed", with_policies(DENY)), Step("once more", pod_labels("backend/worker"))))
    assert case.flaws(OPEN) == ["once more: no connection changes"]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("{default/db}", "172.16.0.1/32"),
        ("{default/db}/24", "172.16.0.0/24"),
        ("{default/db}/0", "0.0.0.0/0"),
        ("10.0.0.0/8", "10.0.0.0/8"),
    ],
)
def test_addresses_of_pods_stand_in_manifests_by_their_names(text: str, network: str) -> None:
    assert filled({"a": [{"cidr": text}], "b": 1}, SCENE) == {"a": [{"cidr": network}], "b": 1}
