"""Account for the answers of a probe: attempts, outages, gaps. Pure; times are seconds of a monotonic clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

MOST_LINES = 12
"""Lines of one outage's failures in a text; the rest is counted."""


@dataclass(frozen=True)
class Attempt:
    """One question and its answer.

    Attributes:
        asked: when the probe was called.
        ended: when it returned, raised an error, or exceeded its deadline without doing either.
        reason: why it failed; empty if it succeeded.
    """

    asked: float
    ended: float
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the service answered in time."""
        return not self.reason


@dataclass(frozen=True)
class Outage:
    """A time without an answer: from the end of the last success before it to the end of the first one after it.

    Attributes:
        probe: the probe's name.
        start: when the last success before it ended.
        end: when the first success after it ended; when the watch ended if there was none.
        over: whether there was a success after it.
        failures: the failed attempts, in order.
    """

    probe: str
    start: float
    end: float
    over: bool
    failures: tuple[Attempt, ...]

    @property
    def gap(self) -> float:
        """Its length in seconds."""
        return self.end - self.start


def judged(asked: float, ended: float, trouble: str, timeout: float) -> Attempt:
    """Return the attempt; an answer later than ``timeout`` seconds is a failure, whatever it says."""
    if not trouble and ended - asked > timeout:
        trouble = f"answered after {ended - asked:.2f} s, later than {timeout:g} s"
    return Attempt(asked, ended, trouble)


def unanswered(asked: float, now: float, timeout: float) -> Attempt | None:
    """Return a question that is still open as a failed attempt, or None while its deadline has not passed."""
    if now - asked <= timeout:
        return None
    return Attempt(asked, now, f"no answer within {timeout:g} s")


def outages(probe: str, attempts: Iterable[Attempt], ended: float) -> tuple[Outage, ...]:
    """Return the outages in a probe's attempts; failures before its first success are none.

    Args:
        probe: the probe's name.
        attempts: in order.
        ended: when the watch ended, or now.
    """
    found: list[Outage] = []
    last: float | None = None
    failures: list[Attempt] = []
    for attempt in attempts:
        if not attempt.succeeded:
            failures.append(attempt)
            continue
        if failures and last is not None:
            found.append(Outage(probe, last, attempt.ended, True, tuple(failures)))
        last, failures = attempt.ended, []
    if failures and last is not None:
        found.append(Outage(probe, last, max(ended, failures[-1].ended), False, tuple(failures)))
    return tuple(found)


def longest(found: Iterable[Outage]) -> float:
    """Return the length of the longest outage in seconds; 0 if there is none."""
    return max((outage.gap for outage in found), default=0.0)


def verdict(found: Sequence[Outage], wanted: float, most: float) -> str:
    """Return ``good``, ``late`` (longer than wanted) or ``bad`` (longer than ``most`` seconds, or not over)."""
    gap = longest(found)
    if gap > most or any(not outage.over for outage in found):
        return "bad"
    return "late" if gap > wanted else "good"


def timeline(probes: Mapping[str, Sequence[Outage]], began: float) -> str:
    """Return the failures as text, probe by probe: when in seconds since ``began``, how often, and why."""
    return "\n".join(line for name, found in probes.items() for line in _of_probe(name, found, began))


def _of_probe(name: str, found: Sequence[Outage], began: float) -> Iterator[str]:
    if not found:
        yield f"{name}: always answered"
    for outage in found:
        end = f"until {outage.end - began:.2f} s" if outage.over else "not over at the end of the watch"
        yield f"{name}: no answer for {outage.gap:.2f} s, from {outage.start - began:.2f} s, {end}"
        lines = list(_reasons(outage.failures, began))
        yield from lines[:MOST_LINES]
        if len(lines) > MOST_LINES:
            yield f"    … and {len(lines) - MOST_LINES} more"


def _reasons(failures: Iterable[Attempt], began: float) -> Iterator[str]:
    for reason, group in groupby(failures, key=lambda attempt: attempt.reason):
        members = list(group)
        times = f" ({len(members)} times until {members[-1].ended - began:.2f} s)" if len(members) > 1 else ""
        yield f"    asked at {members[0].asked - began:.2f} s: {reason}{times}"
