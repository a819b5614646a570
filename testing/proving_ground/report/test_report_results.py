"""pytest's own reports become one result a test, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from proving_ground.report.results import Result, counts, results, shortened

pytest_plugins = ["pytester"]

Stats = Mapping[str, Sequence[Any]]


@pytest.fixture
def stats(pytester: pytest.Pytester) -> Stats:
    """The terminal reporter's categories after a run with every outcome that there is."""
    pytester.makepyfile(
        test_x="""
        import json
        import pytest

        @pytest.fixture
        def broken(): raise RuntimeError("no such thing")

        @pytest.fixture
        def stays():
            yield
            raise RuntimeError("stays")

        def test_passes(record_property):
            wait = dict(what="it answers", seconds=8, timeout=10, attempts=3, transport_errors=0, last_reason="no")
            record_property("wait", json.dumps(wait))

        def test_fails():
            print("password=correct-horse")
            assert 1 == 2

        def test_has_a_broken_fixture(broken): pass
        def test_is_not_taken_down(stays): pass
        @pytest.mark.skip(reason="needs two masters")
        def test_skipped(): pass
        @pytest.mark.xfail(reason="known")
        def test_expected(): assert False

        def test_sub(subtests):
            with subtests.test(task="Settings"):
                pytest.fail("changed again", pytrace=False)
            with subtests.test(task="Other"):
                pass
        """
    )
    pytester.makepyfile(test_broken="import nothing_of_this_name")
    kept = pytester.inline_run(
        "-p", "no:cacheprovider", "--continue-on-collection-errors", plugins=[(keeper := Keeper())]
    )
    assert kept.ret == 1
    return keeper.stats


class Keeper:
    stats: Stats

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self.stats = terminalreporter.stats


def named(stats: Stats) -> dict[str, Result]:
    return {result.name: result for result in results(stats)}


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since 9")
def test_every_test_has_one_result_with_its_worst_outcome(stats: Stats) -> None:
    assert {name: result.outcome for name, result in named(stats).items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_has_a_broken_fixture": "error",
        "test_is_not_taken_down": "error",
        "test_skipped": "skipped",
        "test_expected": "xfailed",
        "test_sub": "failed",
        "test_broken.py": "error",
    }
    assert counts(stats) == {"error": 3, "failed": 3, "skipped": 1, "xfailed": 1, "passed": 2}


def test_a_failure_has_its_message_its_details_and_no_secret(stats: Stats) -> None:
    (failure,) = named(stats)["test_fails"].failures
    assert failure.message.startswith("assert 1 == 2")
    assert "Captured stdout" in failure.details
    assert "password=[removed]" in failure.details


def test_a_failure_tells_where_around_the_test_it_was(stats: Stats) -> None:
    steps = {name: [failure.step for failure in result.failures] for name, result in named(stats).items()}
    assert steps["test_has_a_broken_fixture"] == ["setup"]
    assert steps["test_is_not_taken_down"] == ["teardown"]
    assert steps["test_broken.py"] == ["collect"]


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since 9")
def test_a_failed_subtest_is_told_by_its_name(stats: Stats) -> None:
    (sub,) = [failure for failure in named(stats)["test_sub"].failures if failure.step != "call"]
    assert "task='Settings'" in sub.step
    assert sub.message == "Failed: changed again"


def test_reasons_and_waits_are_told(stats: Stats) -> None:
    found = named(stats)
    assert found["test_skipped"].reason == "needs two masters"
    assert found["test_expected"].reason == "known"
    (wait,) = found["test_passes"].waits
    assert wait.lucky
    assert wait.text == "8.0 of 10 s, 3 attempts, until it answers; last: no"


def test_tests_come_in_the_order_in_which_they_began(stats: Stats) -> None:
    names = [result.name for result in results(stats)]
    assert names.index("test_passes") < names.index("test_fails") < names.index("test_sub")
    assert named(stats)["test_passes"].called is not None
    assert named(stats)["test_has_a_broken_fixture"].called is None


def test_what_is_too_long_keeps_both_ends() -> None:
    assert shortened("a" * 50 + "b" * 50, 10) == "aaaaa\n… 90 characters left out …\nbbbbb"
    assert shortened("short", 10) == "short"
