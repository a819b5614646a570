"""Make truth tables of connections for tests, and draw the tables in the run's report."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from proving_ground.core.timeline import Timeline
from proving_ground.kubernetes.reachability import Outcome, Reachability, Row
from proving_ground.plugin.run import run_of
from proving_ground.report.sections import Cell, Grid, Section, Tone

KIND = "reachability"
"""The kind of a table's entry in the run's timeline."""

MARKS = {Outcome.CONNECTED: "●", Outcome.BLOCKED: "○", Outcome.ERROR: "!"}
NOT_PROBED = "?"
MOST_REMARKS = 8

LEGEND: tuple[tuple[str, Tone, str], ...] = (
    (MARKS[Outcome.CONNECTED], "good", "connected, as it should be"),
    (MARKS[Outcome.BLOCKED], "quiet", "blocked, as it should be"),
    (MARKS[Outcome.CONNECTED], "bad", "connected, but not as it should be"),
    (MARKS[Outcome.BLOCKED], "bad", "blocked, and should not be"),
    (MARKS[Outcome.ERROR], "bad", "the probe broke: nothing is known"),
    (NOT_PROBED, "bad", "not probed"),
)


_HAS_PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has passed, for the teardown of its fixtures."""
    report = yield
    if call.when == "call":
        item.stash[_HAS_PASSED] = report.passed
    return report


@pytest.fixture
def pg_reachability(request: pytest.FixtureRequest, pg_timeline: Timeline) -> Iterator[Callable[[str], Reachability]]:
    """Makes truth tables by title and records them for the report.

    A test that passes, but has never compared one of its tables, is an error.
    """
    made: list[Reachability] = []

    def make(title: str) -> Reachability:
        made.append(Reachability(title, run_of(request.config).timeouts))
        return made[-1]

    yield make
    for table in made:
        note(pg_timeline, table)
    forgotten = [table.title for table in made if not table.compared]
    has_passed = request.node.stash.get(_HAS_PASSED, False)
    assert not (forgotten and has_passed), f"declared and never probed: {', '.join(forgotten)}"


def note(timeline: Timeline, table: Reachability) -> None:
    """Record a table for the run's report."""
    timeline.note(KIND, title=table.title, rows=[asdict(row) for row in table.rows()])


@pytest.hookimpl(optionalhook=True)
def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:
    """Return one section with all tables of the run, wrong ones first."""
    grids = tables(run_of(config).timeline.read())
    if not grids:
        return []
    wrong = sum(any(cell.tone == "bad" for cell in grid.cells) for grid in grids)
    lead = f"{len(grids)} truth tables, {wrong or 'none'} of them wrong. Rows connect, columns are connected to."
    return [Section("Who reaches whom", lead, LEGEND, grids)]


def tables(notes: Sequence[Mapping[str, Any]]) -> tuple[Grid, ...]:
    """Return the tables in a run's timeline, wrong ones first, then larger ones first; skips broken entries."""
    found = []
    for note in notes:
        with suppress(KeyError, TypeError, ValueError):
            if note["kind"] == KIND:
                cells = tuple(_cell(Row(**row)) for row in note["rows"])
                wrong = [cell.text for cell in cells if cell.tone == "bad"]
                found.append(Grid(str(note["title"]), cells, tuple(_remarks(wrong))))
    return tuple(sorted(found, key=lambda grid: (not grid.remarks, -len(grid.cells))))


def _cell(row: Row) -> Cell:
    """Return the cell of a pair: its mark shows the actual result, its tone whether that was expected."""
    tone: Tone = "bad" if not row.met else "good" if row.outcome == Outcome.CONNECTED else "quiet"
    text = f"{row.source} → {row.target}: expected {row.expected}, found {row.found}"
    return Cell(row.source, row.target, MARKS[Outcome(row.outcome)] if row.outcome else NOT_PROBED, tone, text)


def _remarks(wrong: Sequence[str]) -> Iterator[str]:
    yield from wrong[:MOST_REMARKS]
    if len(wrong) > MOST_REMARKS:
        yield f"… and {len(wrong) - MOST_REMARKS} more"
