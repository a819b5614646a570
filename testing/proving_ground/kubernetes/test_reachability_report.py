"""Truth tables as pictures: each finding has its mark, what is wrong is told in words, wrong tables come first."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from proving_ground.kubernetes.reachability import Observation, Outcome, Pair, Reachability, ReachabilityError
from proving_ground.kubernetes.reachability_report import KIND, LEGEND, tables

CONNECTED, BLOCKED, ERROR = Outcome.CONNECTED, Outcome.BLOCKED, Outcome.ERROR


def note(title: str, expected: dict[Pair, Outcome], found: dict[Pair, Outcome]) -> dict[str, Any]:
    """What the timeline keeps of a table."""
    table = Reachability(title)
    for (source, target), outcome in expected.items():
        table.expect(source, target, outcome)
    with suppress(ReachabilityError):
        table.compare({pair: Observation(outcome) for pair, outcome in found.items()})
    return {"kind": KIND, "title": title, "rows": [asdict(row) for row in table.rows()]}


@pytest.mark.parametrize(
    ("expected", "found", "mark", "tone"),
    [
        (CONNECTED, CONNECTED, "●", "good"),
        (BLOCKED, BLOCKED, "○", "quiet"),
        (BLOCKED, CONNECTED, "●", "bad"),
        (CONNECTED, BLOCKED, "○", "bad"),
        (BLOCKED, ERROR, "!", "bad"),
    ],
)
def test_every_finding_has_its_mark(expected: Outcome, found: Outcome, mark: str, tone: str) -> None:
    (grid,) = tables([note("pods", {("a", "b"): expected}, {("a", "b"): found})])
    (cell,) = grid.cells
    assert (cell.row, cell.column, cell.mark, cell.tone) == ("a", "b", mark, tone)
    assert cell.text == f"a → b: expected {expected}, found {found}"
    assert (mark, tone) in {(legend[0], legend[1]) for legend in LEGEND}
    assert grid.remarks == ((cell.text,) if tone == "bad" else ())


def test_what_nobody_probed_and_what_nobody_declared_is_wrong() -> None:
    (grid,) = tables([note("pods", {("a", "b"): BLOCKED}, {("c", "b"): CONNECTED})])
    assert [(cell.mark, cell.tone) for cell in grid.cells] == [("?", "bad"), ("●", "bad")]


def test_wrong_tables_come_first_and_then_the_larger() -> None:
    pairs = {("a", "b"): CONNECTED, ("b", "a"): CONNECTED}
    wrong = note("wrong", {("a", "b"): BLOCKED}, {("a", "b"): CONNECTED})
    found = tables([note("small", {("a", "b"): BLOCKED}, {("a", "b"): BLOCKED}), note("large", pairs, pairs), wrong])
    assert [grid.title for grid in found] == ["wrong", "large", "small"]


def test_many_wrong_pairs_are_told_in_few_lines() -> None:
    pairs = {("a", f"b{number}"): CONNECTED for number in range(20)}
    (grid,) = tables([note("pods", pairs, dict.fromkeys(pairs, BLOCKED))])
    assert len(grid.remarks) == 9
    assert grid.remarks[-1] == "… and 12 more"


@pytest.mark.parametrize("broken", [{}, {"kind": KIND}, {"kind": KIND, "title": "x", "rows": [{"source": "a"}]}])
def test_a_broken_note_costs_no_other(broken: dict[str, Any]) -> None:
    fine = note("pods", {("a", "b"): BLOCKED}, {("a", "b"): BLOCKED})
    assert [grid.title for grid in tables([broken, fine])] == ["pods"]
