"""What the tests have noticed of a fault: the first red test names it, and what should be green is."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.faults.catalogue import Fault
from proving_ground.faults.junit import cases
from proving_ground.faults.verdict import Case, judge, never_red

FAULT = Fault(
    "stopped", "nginx is stopped", ("web",), "web", "stop", "start", ("tests/test_web.py::test_page",), ("tests/db",)
)
PAGE, NAME, ROWS = "tests/test_web.py::test_page[web-01]", "tests/test_dns.py::test_name", "tests/db/test_rows.py::test"


def outcomes(**by_name: str) -> list[Case]:
    ids = {"page": PAGE, "name": NAME, "rows": ROWS}
    return [Case(ids[name], outcome, 1.5, "why") for name, outcome in by_name.items()]


def test_fault_is_noticed_if_a_named_test_is_the_first_red_one() -> None:
    noticed = judge(FAULT, outcomes(rows="passed", page="failed", name="error"))
    assert noticed.problems == ()
    assert (noticed.first, noticed.seconds, noticed.others, noticed.passed) == (PAGE, 3.0, (NAME,), (ROWS,))


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (outcomes(page="passed", name="skipped"), "none of 2 tests noticed that nginx is stopped"),
        (outcomes(name="failed", page="failed"), f"the first red test is {NAME} (why); it should be one of"),
        (outcomes(page="failed", rows="failed"), f"{ROWS} is red, and should be green"),
        ([], "no test ran"),
    ],
)
def test_fault_is_not_noticed_as_it_should_be(found: list[Case], problem: str) -> None:
    assert [each for each in judge(FAULT, found).problems if each.startswith(problem)], judge(FAULT, found).problems


def test_result_is_one_line() -> None:
    found = [Case("tests/test_web.py::test_runs", "failed", 1.25), Case("tests/test_web.py::test_page", "error")]
    assert str(judge(FAULT, found)) == "tests/test_web.py::test_runs after 1.2 s, and 1 more"
    assert str(judge(FAULT, [Case("a", "passed", 2)])) == "no test after 2.0 s"


def test_beginning_ends_at_the_end_of_a_part() -> None:
    other = Case("tests/test_web.py::test_page_of_somebody_else", "failed")
    assert judge(FAULT, [other]).problems


def test_tests_that_no_fault_turned_red_are_listed() -> None:
    first = judge(FAULT, outcomes(page="failed", name="passed", rows="passed"))
    second = judge(FAULT, outcomes(page="passed", name="failed", rows="passed"))
    assert never_red([first, second]) == [ROWS]


def test_results_are_read_as_pytest_writes_them(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.test_web" file="tests/test_web.py" name="test_page[web-01]" time="1.5"/>
        <testcase classname="tests.test_web.TestPage" file="tests/test_web.py" name="test_it" time="0.5">
          <failure message="not&#10; there">long</failure></testcase>
        <testcase classname="tests.test_web" file="tests/test_web.py" name="test_teardown">
          <error message="e"/></testcase>
        <testcase classname="tests.test_web" file="tests/test_web.py" name="test_other">
          <skipped message="s"/></testcase>
        </testsuite></testsuites>"""
    )
    assert cases(tmp_path / "junit.xml") == [
        Case("tests/test_web.py::test_page[web-01]", "passed", 1.5),
        Case("tests/test_web.py::TestPage::test_it", "failed", 0.5, "not there"),
        Case("tests/test_web.py::test_teardown", "error", 0.0, "e"),
        Case("tests/test_web.py::test_other", "skipped", 0.0, "s"),
    ]


def test_run_without_results_has_no_tests(tmp_path: Path) -> None:
    assert cases(tmp_path / "junit.xml") == []
