"""Show in the report which test was the first to notice each fault, and which tests no fault turned red."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from proving_ground.faults.verdict import Noticed, never_red
from proving_ground.plugin.faults import RUNS
from proving_ground.report.sections import Row, Section, Table

LEAD = "Each fault was put in by itself, and taken out again; the first red test has to be one that the fault names."


def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:
    """Return one section with a table of the run's faults, if there are any."""
    runs = config.stash.get(RUNS, None)
    return [section(runs.results.values())] if runs is not None and runs.results else []


def section(results: Iterable[Noticed]) -> Section:
    """Return the section: faults that were not noticed as they should be come first."""
    found = sorted(results, key=lambda each: not each.problems)
    rows = tuple(
        Row(
            (each.fault, each.first or "no test", f"{each.seconds:.1f}", str(len(each.others))),
            "bad" if each.problems else "good",
            each.problems,
        )
        for each in found
    )
    noticed = sum(not each.problems for each in found)
    title = f"{noticed} of {len(found)} faults were noticed as they should be"
    tables = [Table(("fault", "first red test", "seconds until then", "other red tests"), rows, title)]
    if unseen := never_red(found):
        title = f"{len(unseen)} tests passed under faults, and no fault turned them red"
        tables.append(Table(("test",), tuple(Row((nodeid,)) for nodeid in unseen), title))
    return Section("Faults", LEAD, tables=tuple(tables))
