"""Sessions of probes: one command a pod for many questions, and a broken one is an error for every target, then new."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from proving_ground.core.timeouts import USUAL
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.execution import ExecutionError
from proving_ground.kubernetes.probe_answers import ProbePod
from proving_ground.kubernetes.probe_sessions import ProbeSessions
from proving_ground.kubernetes.reachability import Observation, Outcome

ADDRESSES = {"b tcp:8080": "tcp:10.2.2.2:8080", "b udp:8080": "udp:10.2.2.2:8080"}
PLAN = {"a": list(ADDRESSES)}
ANSWER = json.dumps(
    [{"outcome": "connected", "client_address": "10.2.1.2"}, {"outcome": "blocked", "reason": "timeout"}]
)
FOUND = {
    ("a", "b tcp:8080"): Observation(Outcome.CONNECTED, "10.2.1.2"),
    ("a", "b udp:8080"): Observation(Outcome.BLOCKED, reason="timeout"),
}


class Cluster:
    """Opens sessions that answer with the next line; an error is raised instead."""

    timeouts = USUAL

    def __init__(self, *lines: str | Exception) -> None:
        self.lines: Iterable[str | Exception] = iter(lines)
        self.opened: list[tuple[str, ...]] = []
        self.asked: list[str] = []
        self.closed = 0

    def session(self, namespace: str, pod: str, command: list[str], *, stdin: bool) -> Any:
        """As Kube.session."""
        assert stdin
        self.opened.append((namespace, pod, *command))
        return self

    def write_stdin(self, text: str) -> None:
        """As that of a session."""
        self.asked.append(text)

    def readline_stdout(self, timeout: float) -> str:
        """As that of a session."""
        assert timeout > 0.5
        line = next(iter(self.lines))
        if isinstance(line, Exception):
            raise line
        return line

    def read_stderr(self, timeout: float) -> str:
        """As that of a session."""
        assert timeout == 0
        return "probe: out of sockets\n"

    def close(self, timeout: float) -> None:
        """As that of a session."""
        assert timeout == 0, "it waits for the farewell of a machine that may be gone"
        self.closed += 1


def sessions(cluster: Cluster) -> ProbeSessions:
    return ProbeSessions(cast(Kube, cluster), {"a": ProbePod("x-a", "ns", "node", "10.2.1.2")}, ADDRESSES, 500)


def test_many_questions_need_one_command() -> None:
    cluster = Cluster(ANSWER, ANSWER)
    ask = sessions(cluster)
    assert ask(PLAN) == ask(PLAN) == FOUND
    assert cluster.opened == [("ns", "x-a", "probe", "connect", "--stdin", "--timeout=500ms")]
    assert cluster.asked == ["tcp:10.2.2.2:8080 udp:10.2.2.2:8080\n"] * 2
    ask.close()
    assert cluster.closed == 1


def test_a_question_may_have_a_time_out_of_its_own() -> None:
    cluster = Cluster(ANSWER)
    assert sessions(cluster).within(PLAN, 100) == FOUND
    assert cluster.asked == ["timeout=100ms tcp:10.2.2.2:8080 udp:10.2.2.2:8080\n"]


def test_a_session_that_breaks_is_an_error_for_every_target_and_the_next_question_opens_another() -> None:
    for trouble in (OSError("reset"), "", "half of ["):
        cluster = Cluster(trouble, ANSWER)
        ask = sessions(cluster)
        broken = ask(PLAN)
        assert {pair: each.outcome for pair, each in broken.items()} == dict.fromkeys(FOUND, Outcome.ERROR)
        assert all(each.reason == "ns/x-a: the probe gave no answer: probe: out of sockets" for each in broken.values())
        assert ask(PLAN) == FOUND
        assert len(cluster.opened) == 2


def test_a_session_that_has_answered_and_then_breaks_is_replaced_once() -> None:
    """The API server has restarted, which is nothing that the probe says of a connection."""
    cluster = Cluster(ANSWER, OSError("reset"), ANSWER)
    ask = sessions(cluster)
    assert ask(PLAN) == ask(PLAN) == FOUND
    assert (len(cluster.opened), cluster.closed) == (2, 1)


def test_a_session_that_breaks_and_whose_replacement_breaks_is_an_error() -> None:
    cluster = Cluster(ANSWER, OSError("reset"), OSError("reset"), ANSWER)
    ask = sessions(cluster)
    ask(PLAN)
    assert {each.outcome for each in ask(PLAN).values()} == {Outcome.ERROR}
    assert len(cluster.opened) == 2


def test_a_session_that_does_not_open_is_an_error() -> None:
    class Closed(Cluster):
        def session(self, *_: object, **__: object) -> Any:
            raise ExecutionError("ns/x-a: cannot run probe: Not Found")

    (first, _) = sessions(Closed())(PLAN).values()
    assert first == Observation(Outcome.ERROR, reason="ns/x-a: cannot run probe: Not Found")
