"""Running a case: open before, every state shown, and open again, also after a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.polling import WaitTimeoutError
from proving_ground.core.timeouts import Timeouts
from proving_ground.kubernetes.policies.cases import Case, State, Step, pod_labels, with_policies
from proving_ground.kubernetes.policies.runner import UNCHANGED, PolicyRunner
from proving_ground.kubernetes.policies.scene import Protocol
from proving_ground.kubernetes.policies.stage import Stage
from proving_ground.kubernetes.reachability import Observation, Outcome, Pair, Plan, Reachability, Table
from testing.proving_ground.kubernetes.policies.cluster import SCENE

DENY = {"metadata": {"namespace": "default", "name": "deny"}, "spec": {"podSelector": {}}}
SCTP = {
    "metadata": {"namespace": "default", "name": "sctp"},
    "spec": {"podSelector": {}, "ingress": [{"ports": [{"protocol": "SCTP"}]}]},
}
CLOSED = Case("closed", (Step("with its policy", with_policies(DENY)),))


class Actors:
    """A stage on which the network does what the model says, unless a test spoils its answers."""

    def __init__(self, spoil: Callable[[State, dict[Pair, Observation]], None] = lambda *_: None) -> None:
        self.state = State(SCENE)
        self.spoil = spoil
        self.seen: list[list[str]] = []
        self.asked = self.asked_quickly = 0
        self.ask = self

    def become(self, wanted: State) -> None:
        """As Stage.become."""
        self.state = wanted
        self.seen.append(list(wanted.policies))

    def within(self, plan: Plan, timeout_ms: int) -> Table:
        """As that of ProbeSessions."""
        assert timeout_ms < 500
        self.asked_quickly += 1
        self.asked -= 1
        return self(plan)

    def __call__(self, _plan: Plan) -> Table:
        """As that of ProbeSessions."""
        self.asked += 1
        found = {
            (str(each.client), f"{each.server} {each.port}"): Observation(
                Outcome.CONNECTED if verdict.allowed else Outcome.BLOCKED
            )
            for each, verdict in self.state.verdicts.items()
        }
        self.spoil(self.state, found)
        return found


def runner(actors: Actors, wrong: Callable[[Reachability], None] = lambda _: None, factor: float = 1) -> PolicyRunner:
    return PolicyRunner(cast(Stage, actors), lambda title: Reachability(title, Timeouts(factor)), wrong)


def test_every_state_is_shown_between_two_that_are_open() -> None:
    actors = Actors()
    runner(actors).check(CLOSED)
    assert actors.seen == [["default/deny"], []]


def test_blocked_connections_are_shown_with_the_usual_time_out_and_open_ones_need_none() -> None:
    actors = Actors()
    runner(actors).check(CLOSED)
    assert (actors.asked_quickly, actors.asked) == (2, 1)


def test_connections_that_are_blocked_for_a_moment_only_are_no_proof() -> None:
    """The short time-out says "blocked" of a connection that is slow; the usual one finds it open."""
    actors = Actors()

    def slow(state: State, found: dict[Pair, Observation]) -> None:
        if state.policies and actors.asked:
            found["default/frontend", "default/db udp:53"] = Observation(Outcome.CONNECTED)

    actors.spoil = slow
    with pytest.raises(WaitTimeoutError, match="closed: with its policy: 1 of"):
        runner(actors, factor=0.01).check(CLOSED)


def test_a_cluster_on_which_every_connection_takes_long_passes_as_well() -> None:
    actors = Actors()

    def busy(_state: State, found: dict[Pair, Observation]) -> None:
        if not actors.asked:
            found["default/frontend", "default/db udp:53"] = Observation(Outcome.BLOCKED, reason="timeout")

    actors.spoil = busy
    runner(actors, factor=0.01).check(CLOSED)
    assert (actors.asked_quickly, actors.asked) == (2, 2)


def test_one_connection_that_is_open_and_should_not_be_fails_the_case_and_the_cluster_is_left_open() -> None:
    pair = ("default/frontend", "default/db udp:53")

    def leak(state: State, found: dict[Pair, Observation]) -> None:
        if state.policies:
            found[pair] = Observation(Outcome.CONNECTED)

    actors, wrong = Actors(leak), list[Reachability]()
    with pytest.raises(WaitTimeoutError) as caught:
        runner(actors, wrong.append, 0.01).check(CLOSED)
    assert "closed: with its policy: 1 of" in str(caught.value)
    first = str(caught.value).split("✗")[1]
    assert first.split()[:4] == ["default/frontend", "default/db", "udp:53", "blocked"]
    assert "(two → one: no rule of default/deny allows the ingress of default/db)" in first
    assert [table.title for table in wrong] == ["closed: with its policy"]
    assert actors.seen[-1] == []


def test_a_cluster_that_is_not_open_before_fails_before_the_policies_come() -> None:
    def stuck(_state: State, found: dict[Pair, Observation]) -> None:
        found["default/frontend", "default/db udp:53"] = Observation(Outcome.BLOCKED, reason="timeout")

    actors = Actors(stuck)
    with pytest.raises(WaitTimeoutError, match="closed: open before"):
        runner(actors, factor=0.01).check(CLOSED)
    assert actors.seen == []


def test_a_change_without_effect_has_to_stay_without_effect() -> None:
    actors = Actors()
    same = Step("a label that nobody asks for", pod_labels("backend/worker", any="thing"))
    runner(actors).check(Case("closed", (*CLOSED.steps, same), unchanged="nobody asks for it"))
    assert actors.asked == 1 + UNCHANGED


def test_a_policy_that_allows_everything_has_to_stay_without_effect() -> None:
    allow = {"metadata": {"namespace": "default", "name": "allow"}, "spec": {"podSelector": {}, "ingress": [{}]}}
    actors = Actors()
    why = "it allows everything"
    case = Case("open", (Step("with its policy", with_policies(allow)),), unchanged=why, one_sided=why)
    runner(actors).check(case)
    assert actors.asked == UNCHANGED


def test_a_case_that_shows_nothing_does_not_run() -> None:
    actors = Actors()
    with pytest.raises(UsageError, match="case 'idle': same: every connection is allowed"):
        runner(actors).check(Case("idle", (Step("same", pod_labels("backend/worker")),)))
    assert actors.asked == 0


def test_protocols_that_no_pod_serves_are_lacking() -> None:
    case = Case("sctp", (Step("with it", with_policies(SCTP)),))
    assert runner(Actors()).lacking(case) == set()
    without = Actors()
    pods = tuple(pod for pod in SCENE.pods if not pod.ports)
    without.state = State(type(SCENE)(SCENE.namespaces, pods))
    assert runner(without).lacking(case) == {Protocol.SCTP}
