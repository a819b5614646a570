"""Find the tasks of a converge that the whole run waited for, one after the other: its critical path. Pure.

Ansible has the hosts of a play wait for each other after each task (strategy ``linear``), or lets each go its own way
(``free``). In both, the task that ended last before another began is the one that it waited for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from proving_ground.ansible.events import Outcome
from proving_ground.report.phases import Phase

WAITS = {"wait_for", "wait_for_connection", "pause", "async_status"}
"""Ansible's modules that do nothing but wait."""

CHECKS = "validate_argument_spec"
"""The module of the task that Ansible puts before a role's own; its name has the role's description, which may be
``Workers are ready``, and it never waits."""

WAIT = re.compile(r"wait\b|.*\b(is|are) (up|ready|healthy|available|reachable)\b", re.IGNORECASE)
"""A task's name that says that it waits: ``Wait for the API``, ``Workers are Ready``."""

TOLERANCE = 0.05
"""Seconds by which clocks and roundings of two processes may differ."""


@dataclass(frozen=True)
class Step:
    """A task on one host that the run waited for.

    Attributes:
        outcome: of the task.
        alone: seconds of it in which no other host was at work: what the run would lack without it.
    """

    outcome: Outcome
    alone: float

    @property
    def waits(self) -> bool:
        """Whether the task itself waits for something, instead of working."""
        return is_wait(self.outcome)


@dataclass(frozen=True)
class CriticalPath:
    """What a converge has waited for.

    Attributes:
        seconds: of the whole phase.
        steps: the tasks, in their order.
    """

    seconds: float
    steps: tuple[Step, ...]

    @property
    def working(self) -> float:
        """Seconds of the steps that work."""
        return sum(step.outcome.seconds for step in self.steps if not step.waits)

    @property
    def waiting(self) -> float:
        """Seconds of the steps that wait for something."""
        return sum(step.outcome.seconds for step in self.steps if step.waits)

    @property
    def between(self) -> float:
        """Seconds in which no step ran: Ansible itself, before, between and after its tasks."""
        return max(0.0, self.seconds - self.working - self.waiting)

    def by(self, name: str) -> list[tuple[str, float]]:
        """Return the seconds on the path by ``host``, ``role`` or ``task``, most first."""
        found: dict[str, float] = {}
        for step in self.steps:
            key = str(getattr(step.outcome, name))
            found[key] = found.get(key, 0.0) + step.outcome.seconds
        return sorted(found.items(), key=lambda item: -item[1])


def is_wait(outcome: Outcome) -> bool:
    """Return whether a task waits, by its module or by its name."""
    module = outcome.action.rpartition(".")[2]
    return module in WAITS or (module != CHECKS and WAIT.match(outcome.task) is not None)


def critical_path(phase: Phase) -> CriticalPath:
    """Return the critical path of a phase, from its end backwards; tasks without a start time are left out."""
    timed = [task for task in phase.tasks if task.start]
    steps: list[Step] = []
    now, left = phase.end, sorted(timed, key=_end)
    while left:
        while left and _end(left[-1]) > now + TOLERANCE:
            left.pop()
        if not left:
            break
        last = _last(left, steps[-1].outcome.host if steps else "")
        steps.append(Step(last, _alone(last, timed)))
        now = min(now, last.start)
        left = [task for task in left if task is not last and task.start < last.start]
    return CriticalPath(phase.seconds, tuple(reversed(steps)))


def _end(task: Outcome) -> float:
    return task.start + task.seconds


def _last(candidates: Sequence[Outcome], host: str) -> Outcome:
    """Return the one that ended last; of those that ended at the same time, one of ``host``."""
    last = candidates[-1]
    same = [task for task in candidates if _end(task) >= _end(last) - TOLERANCE and task.host == host]
    return same[-1] if same else last


def _alone(task: Outcome, timed: Sequence[Outcome]) -> float:
    """Return the seconds of ``task`` in which no task of another host ran."""
    start, end = task.start, _end(task)
    others = sorted(
        (max(start, other.start), min(end, _end(other)))
        for other in timed
        if other.host != task.host and other.start < end and _end(other) > start
    )
    busy, reached = 0.0, start
    for begin, finish in others:
        busy += max(0.0, finish - max(begin, reached))
        reached = max(reached, finish)
    return max(0.0, task.seconds - busy)
