"""What the terminal and the report say of the benchmark's results."""

from __future__ import annotations

from typing import Any

from proving_ground.kubernetes.benchmark.report import grids, results, sentence


def note(check: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {"kind": "benchmark", "check": check, "what": "it is so", "outcome": outcome, **more}


NOTES = [
    note("1.2.10", "passed"),
    note("1.2.2", "failed", problems=["one: bad"]),
    {"kind": "phase"},
    note("5.5.1", "not applicable", reason="there is no registry"),
    note("1.2.10", "failed", problems=["later: bad"]),
]


def test_last_result_of_a_check_counts_in_the_order_of_numbers() -> None:
    found = results(NOTES)
    assert [(each["check"], each["outcome"]) for each in found] == [
        ("1.2.2", "failed"),
        ("1.2.10", "failed"),
        ("5.5.1", "not applicable"),
    ]


def test_broken_notes_are_left_out() -> None:
    assert results([{"kind": "benchmark"}, note("1.1", "perhaps")]) == []


def test_sentence_counts_what_applies() -> None:
    assert sentence(results(NOTES)) == "3 checks: 0 of the 2 that apply passed, 2 failed, 1 do not apply"
    assert sentence([note("1.1", "passed")]) == "1 checks: 1 of the 1 that apply passed, none failed, all apply"


def test_grid_has_a_row_for_each_part_and_says_what_failed_first() -> None:
    (grid,) = grids(results(NOTES))
    assert [(cell.row, cell.column, cell.mark, cell.tone) for cell in grid.cells] == [
        ("1.2", "2", "✗", "bad"),
        ("1.2", "10", "✗", "bad"),
        ("5.5", "1", "○", "quiet"),
    ]
    assert grid.remarks == (
        "1.2.2 it is so: one: bad",
        "1.2.10 it is so: later: bad",
        "5.5.1 it is so: does not apply, since there is no registry",
    )
