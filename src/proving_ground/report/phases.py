"""Read a run's phases and their tasks from its timeline. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from proving_ground.ansible.events import Outcome, without_rescued

FAILED = ("failed", "unreachable")
Note = Mapping[str, Any]


@dataclass(frozen=True)
class Phase:
    """One step of a run; times are in seconds since 1970.

    Attributes:
        name: its name on the terminal, with a number if the run has several of this name.
        start: when it began.
        end: when it ended; the run's end if the phase is unfinished.
        outcome: ``done``, ``failed`` or ``unfinished``.
        tasks: outcomes of Ansible's tasks by host, in order.
    """

    name: str
    start: float
    end: float
    outcome: str = "unfinished"
    tasks: tuple[Outcome, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


def phases(notes: Sequence[Note], ended: float) -> tuple[Phase, ...]:
    """Return the phases in the order in which they began.

    Args:
        notes: the run's timeline.
        ended: when the run ended, in seconds since 1970.
    """
    found: dict[tuple[str, float], Phase] = {}
    tasks: dict[tuple[str, float], list[Outcome]] = {}
    present = None
    for note in notes:
        with suppress(KeyError, TypeError, ValueError):
            if note["kind"] == "phase":
                key = str(note["name"]), float(note["start"])
                if key not in found:
                    present = key
                end, outcome = float(note.get("end", ended)), str(note.get("outcome", "unfinished"))
                found[key] = Phase(*key, max(end, key[1]), outcome)
            elif note["kind"] == "task" and present is not None:
                # One process runs Ansible, in one phase at a time: the phase that began last.
                tasks.setdefault(present, []).append(_task(note))
            elif note["kind"] == "rescued" and present in tasks:
                tasks[present] = without_rescued(tasks[present], {host: int(n) for host, n in note["hosts"].items()})
    ordered = sorted(found.items(), key=lambda item: item[1].start)
    return tuple(_numbered([replace(phase, tasks=tuple(tasks.get(key, ()))) for key, phase in ordered]))


def _task(note: Note) -> Outcome:
    texts = {name: str(note[name]) for name in ("host", "role", "task", "path", "status")}
    more = {name: str(note.get(name, "")) for name in ("message", "play", "action")}
    return Outcome(**texts, **more, seconds=float(note["seconds"]), start=float(note.get("start", 0.0)))


def _numbered(found: Sequence[Phase]) -> Iterator[Phase]:
    total, seen = Counter(phase.name for phase in found), Counter[str]()
    for phase in found:
        seen[phase.name] += 1
        number = f" ({seen[phase.name]} of {total[phase.name]})" if total[phase.name] > 1 else ""
        yield replace(phase, name=phase.name + number)


def role_runs(tasks: Sequence[Outcome]) -> Iterator[tuple[str, float, float]]:
    """Yield role, start and end of each run of consecutive tasks of one role; skips tasks without a start time."""
    role, start, end = "", 0.0, 0.0
    for task in sorted((task for task in tasks if task.start), key=lambda task: task.start):
        if task.role != role:
            if role:
                yield role, start, end
            role, start, end = task.role, task.start, task.start
        end = max(end, task.start + task.seconds)
    if role:
        yield role, start, end
