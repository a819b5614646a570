"""Truth tables: what they accept, what they refuse, and how a wrong line looks."""

from __future__ import annotations

import pytest

from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.reachability import (
    Observation,
    Outcome,
    Pair,
    Plan,
    Reachability,
    ReachabilityError,
    Table,
)

CONNECTED, BLOCKED, ERROR = Outcome.CONNECTED, Outcome.BLOCKED, Outcome.ERROR


def table(*expected: tuple[str, str, Outcome]) -> Reachability:
    made = Reachability("pods")
    for source, target, outcome in expected:
        made.expect(source, target, outcome)
    return made


def finding(outcome: Outcome, client_address: str = "") -> dict[Pair, Observation]:
    return {("a", "b"): Observation(outcome, client_address)}


@pytest.mark.parametrize("outcome", [CONNECTED, BLOCKED])
def test_table_accepts_what_was_expected(outcome: Outcome) -> None:
    made = table(("a", "b", outcome))
    made.compare(finding(outcome))
    assert made.compared


@pytest.mark.parametrize(
    ("expected", "found"), [(CONNECTED, BLOCKED), (BLOCKED, CONNECTED), (CONNECTED, ERROR), (BLOCKED, ERROR)]
)
def test_table_refuses_every_other_outcome(expected: Outcome, found: Outcome) -> None:
    with pytest.raises(ReachabilityError):
        table(("a", "b", expected)).compare(finding(found))


def test_table_refuses_a_pair_that_nobody_probed() -> None:
    with pytest.raises(ReachabilityError, match="not probed"):
        table(("a", "b", BLOCKED)).compare({})


def test_table_refuses_a_pair_that_nobody_declared() -> None:
    with pytest.raises(ReachabilityError, match=r"✗ a +c +nothing +connected"):
        table(("a", "b", CONNECTED)).compare(finding(CONNECTED) | {("a", "c"): Observation(CONNECTED)})


def test_table_refuses_a_client_behind_another_address() -> None:
    made = Reachability("no NAT")
    made.expect("a", "b", CONNECTED, ["10.2.1.2"])
    with pytest.raises(ReachabilityError, match=r"connected as 10\.2\.1\.2 +connected as 10\.0\.0\.121"):
        made.compare(finding(CONNECTED, "10.0.0.121"))


def test_table_accepts_any_of_several_client_addresses() -> None:
    made = Reachability("from a node")
    made.expect("a", "b", CONNECTED, ["10.0.0.121", "10.2.1.0"])
    made.compare(finding(CONNECTED, "10.2.1.0"))


def test_table_tells_an_answer_from_silence_where_one_is_expected() -> None:
    table = Reachability("answers")
    table.expect("a", "b", Outcome.BLOCKED, answers=["refused", "host unreachable"])
    table.compare({("a", "b"): Observation(Outcome.BLOCKED, reason="host unreachable")})
    with pytest.raises(ReachabilityError, match=r"by the answer host unreachable or refused +blocked \(timeout"):
        table.compare({("a", "b"): Observation(Outcome.BLOCKED, reason="timeout")})


def test_table_marks_only_the_wrong_lines_and_has_them_first() -> None:
    made = table(("a", "b", CONNECTED), ("a", "longer-name", BLOCKED))
    with pytest.raises(ReachabilityError) as caught:
        made.compare(finding(CONNECTED) | {("a", "longer-name"): Observation(CONNECTED, "10.2.1.2")})
    assert str(caught.value).splitlines() == [
        "pods: 1 of 2 connections are not as expected",
        "  source  target       expected   actual",
        "✗ a       longer-name  blocked    connected as 10.2.1.2",
        "  a       b            connected  connected",
    ]


def test_table_shows_all_wrong_lines_and_counts_what_it_leaves_out() -> None:
    made = Reachability("many")
    for number in range(100):
        made.expect("a", f"b{number}", CONNECTED if number < 60 else BLOCKED, reason="a rule" if number else "")
    with pytest.raises(ReachabilityError) as caught:
        made.compare({("a", f"b{number}"): Observation(BLOCKED, reason="timeout") for number in range(100)})
    lines = str(caught.value).splitlines()
    assert lines[-1] == "… and 40 more, which are as expected"
    assert [line[0] for line in lines[2:-1]] == ["✗"] * 60
    assert lines[3].split() == ["✗", "a", "b1", "connected", "(a", "rule)", "blocked", "(timeout)"]


def test_table_without_expectations_cannot_pass() -> None:
    with pytest.raises(ValueError, match="nothing is expected"):
        Reachability("empty").compare({})


def test_table_refuses_two_expectations_of_one_pair() -> None:
    with pytest.raises(ValueError, match="twice"):
        table(("a", "b", CONNECTED), ("a", "b", BLOCKED))


def test_table_refuses_to_expect_a_broken_probe() -> None:
    with pytest.raises(ValueError, match="broken probe"):
        table(("a", "b", ERROR))


def test_check_probes_each_source_with_all_its_targets() -> None:
    asked: list[Plan] = []

    def probe(plan: Plan) -> Table:
        asked.append(plan)
        return {(source, target): Observation(CONNECTED) for source, targets in plan.items() for target in targets}

    table(("a", "b", CONNECTED), ("c", "b", CONNECTED), ("a", "c", CONNECTED)).check(probe)
    assert asked == [{"a": ["b", "c"], "c": ["b"]}]


def test_settle_takes_a_difference_for_not_yet() -> None:
    with pytest.raises(NotReady, match="✗ a"):
        table(("a", "b", BLOCKED)).settle(lambda _: finding(CONNECTED))


def test_settle_takes_a_broken_probe_for_a_failure_at_once() -> None:
    with pytest.raises(ReachabilityError, match="error"):
        table(("a", "b", BLOCKED)).settle(lambda _: finding(ERROR))


def test_wait_probes_anew_until_the_table_holds() -> None:
    answers = iter([finding(BLOCKED), finding(CONNECTED), finding(CONNECTED)])
    table(("a", "b", CONNECTED)).wait(lambda _: next(answers), timeout=5, successes=2)
    assert list(answers) == []


pytest_plugins = ["pytester"]


@pytest.mark.parametrize(("use", "passed", "errors"), [("table.compare(found)", 1, 0), ("pass", 1, 1)])
def test_a_table_that_is_declared_and_never_probed_fails_its_test(
    planned: pytest.Pytester, use: str, passed: int, errors: int
) -> None:
    planned.makepyfile(
        f"""
        import pytest
        from proving_ground.kubernetes.reachability import Observation, Outcome
        from proving_ground.core.timeline import Timeline

        pytest_plugins = ["proving_ground.kubernetes.reachability_report"]

        @pytest.fixture
        def pg_timeline(tmp_path):
            return Timeline(tmp_path / "timeline.jsonl")

        def test_pods(pg_reachability):
            table = pg_reachability("pods")
            table.expect("a", "b", Outcome.CONNECTED)
            found = {{("a", "b"): Observation(Outcome.CONNECTED)}}
            {use}
        """
    )
    result = planned.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=passed, errors=errors)
    if errors:
        result.stdout.fnmatch_lines(["*declared and never probed: pods*"])
