"""Print where a converge lost its time: the tasks of its critical path, and their seconds by role and host."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from proving_ground.core.errors import UsageError
from proving_ground.core.timeline import Timeline
from proving_ground.report.critical_path import CriticalPath, Step, critical_path
from proving_ground.report.phases import Phase, phases

WIDTH = 120


@dataclass(frozen=True)
class Profile:
    """The profile of one converge: the run's name, the phase, and what it waited for."""

    run: str
    phase: Phase
    path: CriticalPath


def of_run(artifacts: Path, run: str | None = None) -> Profile:
    """Return the profile of the last converge of a run.

    Args:
        artifacts: the directory of the artifacts of all runs.
        run: the run's name; the last one that ran a playbook by default.

    Raises:
        UsageError: there is no such run, or none that ran a playbook.
    """
    names = [run] if run else [path.name for path in sorted(artifacts.glob("[0-9]*"), reverse=True)]
    for name in names:
        notes = Timeline(artifacts / name / "timeline.jsonl").read()
        ended = max((float(note.get("end", note.get("start", 0.0))) for note in notes), default=0.0)
        found = [phase for phase in phases(notes, ended) if phase.tasks]
        if found:
            # `prepare` comes before the converge, and a second converge after it.
            chosen = next((phase for phase in found if phase.name.split()[0] == "converge"), found[0])
            return Profile(name, chosen, critical_path(chosen))
    what = f"run {run} has no converge" if run else "no run has a converge"
    raise UsageError(
        what, where=str(artifacts), hint="`proving-ground converge` makes one; its artifacts are kept there"
    )


def lines(profile: Profile, most: int) -> Iterator[str]:
    """Yield the lines of the text: sums, the ``most`` longest tasks of the path, roles and hosts."""
    path, phase = profile.path, profile.phase
    yield f"{phase.name} of run {profile.run}: {phase.seconds:.1f} s"
    yield (
        f"on its critical path: {path.working:.1f} s of tasks that work, {path.waiting:.1f} s of tasks that wait, "
        f"{path.between:.1f} s of Ansible itself"
    )
    longest = sorted(path.steps, key=lambda step: -step.outcome.seconds)[:most]
    yield from _table(("seconds", "alone", "", "host", "role : task"), [_row(step) for step in longest])
    yield "alone: seconds in which no other host was at work; w: the task waits for something"
    yield from _table(("seconds", "role"), [(f"{seconds:.1f}", role or "-") for role, seconds in path.by("role")])
    yield from _table(("seconds", "host"), [(f"{seconds:.1f}", host) for host, seconds in path.by("host")])


def _row(step: Step) -> tuple[str, ...]:
    task = step.outcome
    name = f"{task.role} : {task.task}" if task.role else task.task
    return f"{task.seconds:.1f}", f"{step.alone:.1f}", "w" if step.waits else "", task.host, name


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in {"seconds", "alone"} else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield ""
    yield from (line.rstrip() for line in text.getvalue().splitlines())
    yield ""
