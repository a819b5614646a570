"""The report's page of faults: which test noticed each, what was wrong, and what no fault turned red."""

from __future__ import annotations

from proving_ground.faults.verdict import Noticed
from proving_ground.report.faults import section

NOTICED = Noticed("web-stopped", "tests/test_web.py::test_answers", 1.25, ("tests/test_web.py::test_page",), ("a",), ())
MISSED = Noticed("clock-ahead", "", 9.0, (), ("a", "tests/test_web.py::test_page"), ("none of 2 tests noticed it",))


def test_faults_that_nobody_noticed_come_first_with_the_reason() -> None:
    faults = section([NOTICED, MISSED]).tables[0]
    assert faults.title == "1 of 2 faults were noticed as they should be"
    assert [row.cells for row in faults.rows] == [
        ("clock-ahead", "no test", "9.0", "0"),
        ("web-stopped", "tests/test_web.py::test_answers", "1.2", "1"),
    ]
    assert [(row.tone, row.more) for row in faults.rows] == [("bad", ("none of 2 tests noticed it",)), ("good", ())]


def test_tests_that_no_fault_turned_red_have_a_table_of_their_own() -> None:
    _, unseen = section([NOTICED, MISSED]).tables
    assert [row.cells for row in unseen.rows] == [("a",)]
    assert len(section([Noticed("x", "a", 1.0, (), (), ())]).tables) == 1
