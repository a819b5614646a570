"""Show in the report what ``pg_availability`` has measured: gaps, bounds, and when and why nobody answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from proving_ground.plugin.availability import PROPERTY, VERDICTS, Measured
from proving_ground.plugin.run import run_of
from proving_ground.report.sections import Cell, Grid, Section, Tone

MARKS: dict[str, tuple[str, Tone, str]] = {
    "good": ("●", "good", "no longer than wanted"),
    "": ("●", "quiet", "measured without bounds"),
    "late": ("!", "bad", "longer than wanted: a finding"),
    "bad": ("✗", "bad", "too long, or not over: the test is red"),
}
"""Verdict → mark, tone, meaning."""

COLUMN = "gap"


def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:
    """Return one section with all watches of the run, if there are any; bad ones first."""
    grids = pictures(run_of(config).timeline.read())
    lead = "Each probe was asked again and again; a gap is the time from the end of one success to the end of the next."
    return [Section("Availability", lead, tuple(MARKS.values()), grids)] if grids else []


def pictures(notes: Sequence[Mapping[str, Any]]) -> tuple[Grid, ...]:
    """Return a grid for each watch in a run's timeline, bad ones first, then longer ones; skips broken entries."""
    found = []
    for note in notes:
        with suppress(KeyError, TypeError, ValueError):
            if note.get("kind") == PROPERTY:
                each = Measured(**{name: value for name, value in note.items() if name != "kind"})
                found.append((_severity(each), _grid(each)))
    return tuple(grid for _, grid in sorted(found, key=lambda pair: pair[0]))


def _severity(each: Measured) -> tuple[int, float]:
    return -VERDICTS.index(each.verdict), -max(each.gaps.values())


def _grid(each: Measured) -> Grid:
    cells = []
    for name, gap in each.gaps.items():
        mark, tone, meaning = MARKS[each.verdicts[name]]
        cells.append(Cell(name, COLUMN, mark, tone, f"{name}: {gap:.2f} s, {meaning}"))
    return Grid(str(each), tuple(cells), tuple(each.failures.splitlines()))
