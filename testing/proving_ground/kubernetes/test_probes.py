"""Probe pods: how their answers fill a truth table, and that a probe that broke is an error for every target."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from proving_ground.core.timeouts import USUAL
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.execution import Execution, ExecutionError
from proving_ground.kubernetes.probe_answers import ProbePod
from proving_ground.kubernetes.probes import Cargo, Probes
from proving_ground.kubernetes.reachability import Observation, Outcome

ADDRESSES = {"b": "10.2.2.2:8080", "c": "10.2.2.3:8080"}


class Cluster:
    """Answers every command in a pod with one execution, and every question to an open one with a line."""

    timeouts = USUAL

    def __init__(self, answer: Execution | ExecutionError) -> None:
        self.answer = answer
        self.commands: list[Sequence[str]] = []
        self.asked: list[str] = []
        self.closed = 0

    def session(self, _namespace: str, _pod: str, command: Sequence[str], *, stdin: bool) -> Any:
        """As Kube.session."""
        assert stdin
        self.execute("", "", command)
        return self

    def write_stdin(self, text: str) -> None:
        """As that of a session."""
        self.asked.append(text)

    def readline_stdout(self, timeout: float) -> str:
        """As that of a session."""
        assert timeout > 0.5
        assert isinstance(self.answer, Execution)
        return self.answer.stdout

    def read_stderr(self, timeout: float) -> str:
        """As that of a session."""
        assert timeout == 0
        assert isinstance(self.answer, Execution)
        return self.answer.stderr

    def close(self, timeout: float) -> None:
        """As that of a session."""
        assert timeout == 0
        self.closed += 1

    def execute(self, _namespace: str, _pod: str, command: Sequence[str]) -> Execution:
        """As Kube.execute."""
        self.commands.append(command)
        if isinstance(self.answer, ExecutionError):
            raise self.answer
        return self.answer


def probes(cluster: Cluster) -> Probes:
    made = Probes(cast(Kube, cluster), "image")
    made.pods["a"] = ProbePod("a", "ns", "node", "10.2.1.2")
    return made


ANSWERS = [
    {"target": "10.2.2.2:8080", "outcome": "connected", "client_address": "10.2.1.2"},
    {"target": "10.2.2.3:8080", "outcome": "blocked", "reason": "timeout"},
]
PLAN = {"a": ["b", "c"]}


def test_probe_asks_all_targets_by_one_command_and_keeps_their_names() -> None:
    cluster = Cluster(Execution(json.dumps(ANSWERS), "", 0))
    found = probes(cluster).prober(ADDRESSES, 500)(PLAN)
    assert found == {
        ("a", "b"): Observation(Outcome.CONNECTED, "10.2.1.2"),
        ("a", "c"): Observation(Outcome.BLOCKED, reason="timeout"),
    }
    assert cluster.asked == ["timeout=500ms 10.2.2.2:8080 10.2.2.3:8080\n"]


def test_all_questions_to_a_pod_go_to_one_command_until_the_probes_are_closed() -> None:
    cluster = Cluster(Execution(json.dumps(ANSWERS), "", 0))
    made = probes(cluster)
    first, second = made.prober(ADDRESSES, 500), made.prober(ADDRESSES)
    assert first(PLAN) == second(PLAN) == first(PLAN)
    assert cluster.commands == [["probe", "connect", "--stdin", "--timeout=1000ms"]]
    made.close()
    assert cluster.closed == 1


def test_another_pod_of_the_same_name_is_asked_by_a_command_of_its_own() -> None:
    cluster = Cluster(Execution(json.dumps(ANSWERS), "", 0))
    made = probes(cluster)
    made.prober(ADDRESSES)(PLAN)
    made.pods["a"] = ProbePod("a", "ns", "node", "10.2.1.3")
    made.prober(ADDRESSES)(PLAN)
    assert len(cluster.commands) == 2


@pytest.mark.parametrize(
    "answer",
    [ExecutionError("ns/a: cannot run probe"), Execution("", "no such option", 2), Execution("half of [", "", 0)],
)
def test_probe_that_broke_is_an_error_for_every_target(answer: Execution | ExecutionError) -> None:
    found = probes(Cluster(answer)).prober(ADDRESSES)(PLAN)
    assert {pair: observation.outcome for pair, observation in found.items()} == {
        ("a", "b"): Outcome.ERROR,
        ("a", "c"): Outcome.ERROR,
    }
    assert all("ns/a" in observation.reason for observation in found.values())


def test_lookup_tells_unknown_from_broken() -> None:
    answers = [
        {"question": "known", "outcome": "found", "answers": ["10.3.0.1"]},
        {"question": "unknown", "outcome": "not found", "answers": [], "reason": "no such host"},
    ]
    found = probes(Cluster(Execution(json.dumps(answers), "", 0))).look_up("a", "known", "unknown")
    assert (found["known"].outcome, found["known"].answers) == ("found", ("10.3.0.1",))
    assert (found["unknown"].outcome, found["unknown"].reason) == ("not found", "no such host")


def test_lookup_by_tcp_and_of_addresses_is_asked_so() -> None:
    cluster = Cluster(Execution(json.dumps([{"outcome": "found", "answers": ["a.b"]}]), "", 0))
    probes(cluster).look_up("a", "10.3.0.1", reverse=True, by_tcp=True)
    assert cluster.commands == [["probe", "lookup", "--json", "--reverse", "--tcp", "10.3.0.1"]]


def test_cargo_is_sent_to_all_targets_in_one_command() -> None:
    answers = [
        {"target": "10.2.2.2:8080", "outcome": "connected", "path_mtu": 1450},
        {
            "target": "10.2.2.3:8080",
            "outcome": "blocked",
            "path_mtu": 1500,
            "reason": "0 of 5000 bytes came back",
        },
    ]
    cluster = Cluster(Execution(json.dumps(answers), "", 0))
    assert probes(cluster).carry("a", ADDRESSES, 5000, 2) == {
        "b": Cargo(Outcome.CONNECTED, 1450),
        "c": Cargo(Outcome.BLOCKED, 1500, "0 of 5000 bytes came back"),
    }
    assert cluster.commands == [
        ["probe", "carry", "--json", "--timeout=2000ms", "--bytes=5000", "10.2.2.2:8080", "10.2.2.3:8080"]
    ]
    with pytest.raises(ExecutionError):
        probes(Cluster(Execution("", "no such option", 2))).carry("a", ADDRESSES, 1)
