"""Show the results of the benchmark in the terminal, in the report, and what does not apply with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from proving_ground.core.timeline import Timeline
from proving_ground.kubernetes.benchmark.model import Outcome, Result
from proving_ground.kubernetes.benchmark.table import VERSION
from proving_ground.plugin.run import RUN, run_of
from proving_ground.report.sections import Cell, Grid, Section, Tone

KIND = "benchmark"
"""The kind of a result's entry in the run's timeline."""

MARKS: dict[str, tuple[str, Tone, str]] = {
    Outcome.PASSED: ("●", "good", "passed"),
    Outcome.NOT_APPLICABLE: ("○", "quiet", "not applicable, for the reason below"),
    Outcome.FAILED: ("✗", "bad", "failed"),
}
"""Outcome → mark, tone, meaning."""


def note(timeline: Timeline, result: Result) -> None:
    """Record a result for the run's report."""
    check = result.check
    timeline.note(
        KIND,
        check=check.id,
        name=check.name,
        what=check.what,
        outcome=str(result.outcome),
        problems=list(result.problems),
        reason=result.reason,
    )


@pytest.hookimpl(optionalhook=True)
def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:
    """Return one section with the results of all checks, if any ran."""
    notes = results(run_of(config).timeline.read())
    return (
        [Section(f"CIS Kubernetes Benchmark {VERSION}", f"{sentence(notes)}.", tuple(MARKS.values()), grids(notes))]
        if (notes)
        else []
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many checks passed, and which do not apply and why."""
    if config.stash.get(RUN, None) is None:
        return
    notes = results(run_of(config).timeline.read())
    if not notes:
        return
    terminalreporter.section(f"CIS Kubernetes Benchmark {VERSION}")
    terminalreporter.line(sentence(notes))
    for each in notes:
        if each["outcome"] == Outcome.NOT_APPLICABLE:
            terminalreporter.line(f"  {each['check']} does not apply: {each['reason']}")


def results(notes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the last result of each check in a run's timeline, in the order of their numbers."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in notes:
        if each.get("kind") == KIND and each.get("outcome") in MARKS and each.get("check"):
            found[str(each["check"])] = each
    with suppress(ValueError):
        return [found[key] for key in sorted(found, key=lambda key: [int(part) for part in key.split(".")])]
    return list(found.values())


def sentence(notes: Sequence[Mapping[str, Any]]) -> str:
    """Return how many checks there were, and what came of them."""
    count = {outcome: sum(each["outcome"] == outcome for each in notes) for outcome in MARKS}
    applying = len(notes) - count[Outcome.NOT_APPLICABLE]
    return (
        f"{len(notes)} checks: {count[Outcome.PASSED]} of the {applying} that apply passed, "
        f"{count[Outcome.FAILED] or 'none'} failed, {count[Outcome.NOT_APPLICABLE] or 'all'} "
        f"{'do not apply' if count[Outcome.NOT_APPLICABLE] else 'apply'}"
    )


def grids(notes: Sequence[Mapping[str, Any]]) -> tuple[Grid, ...]:
    """Return one grid: a row for each part of the benchmark, a column for each number in it."""
    cells = []
    for each in notes:
        section, _, number = str(each["check"]).rpartition(".")
        mark, tone, _ = MARKS[each["outcome"]]
        cells.append(Cell(section, number, mark, tone, f"{each['check']} {each['what']}: {each['outcome']}"))
    return (Grid("Checks", tuple(cells), tuple(_remarks(notes))),) if cells else ()


def _remarks(notes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in notes:
        if each["outcome"] == Outcome.FAILED:
            yield f"{each['check']} {each['what']}: {'; '.join(each.get('problems', ()))}"
    for each in notes:
        if each["outcome"] == Outcome.NOT_APPLICABLE:
            yield f"{each['check']} {each['what']}: does not apply, since {each['reason']}"
