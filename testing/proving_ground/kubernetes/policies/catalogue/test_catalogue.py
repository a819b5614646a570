"""The catalogue: every case shows something, by what the model says of it, wherever its pods run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from proving_ground.kubernetes.policies.cases import State
from proving_ground.kubernetes.policies.catalogue import CASES
from proving_ground.kubernetes.policies.catalogue.scene import SCENE
from proving_ground.kubernetes.policies.scene import Protocol
from proving_ground.kubernetes.policies.stage import place


def running(nodes: int, network: str = "10.2.{node}.{number}") -> State:
    """The scene on so many nodes, each of which has a network of its own."""
    pods = tuple(
        replace(pod, address=network.format(node=place(SCENE, pod) % nodes, number=number), node=f"node-{number}")
        for number, pod in enumerate(SCENE.pods, 2)
    )
    return State(replace(SCENE, pods=pods))


def test_there_are_more_cases_than_120_and_their_names_differ() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("nodes", [1, 3])
def test_every_case_has_connected_and_blocked_pairs_and_changes_some_or_says_why_not(nodes: int) -> None:
    start = running(nodes)
    assert {case.name: flaws for case in CASES if (flaws := case.flaws(start))} == {}


def test_reasons_stand_only_where_they_are_needed() -> None:
    def needless() -> Iterator[str]:
        start = running(3)
        for case in CASES:
            if case.one_sided and not replace(case, one_sided="").flaws(start):
                yield f"{case.name}: one_sided"
            if case.unchanged and not replace(case, unchanged="").flaws(start):
                yield f"{case.name}: unchanged"

    assert list(needless()) == []


def test_the_catalogue_fits_a_cluster_of_ipv6() -> None:
    start = running(3, "fd00:{node}::{number}")
    blocks = [str(policy) for case in CASES for _, state in case.states(start) for policy in state.policies.values()]
    assert any("fd00:1::/24" in block or "fd00:" in block for block in blocks)
    assert not any("10.2." in block or "0.0.0.0" in block for block in blocks)


def test_pods_of_one_namespace_and_pods_of_one_name_are_on_different_nodes() -> None:
    places = {str(pod): place(SCENE, pod) % 3 for pod in SCENE.pods}
    for name in "xyz":
        assert len({where for pod, where in places.items() if pod.startswith(name)}) == 3
    for name in "abc":
        assert len({where for pod, where in places.items() if pod.endswith(name)}) == 3


def test_cases_of_sctp_are_known_by_their_policies() -> None:
    found = [case.name for case in CASES if Protocol.SCTP in case.protocols(running(3))]
    assert found == [
        "ingress to a port of SCTP",
        "egress to a port of SCTP",
        "ingress to every port of SCTP",
        "egress to every port of SCTP",
    ]
