"""Judge what a run of tests has noticed of a fault. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proving_ground.faults.catalogue import Fault

RED = ("failed", "error")


@dataclass(frozen=True)
class Case:
    """One test of a run.

    Attributes:
        nodeid: its node identifier.
        outcome: ``passed``, ``failed``, ``error`` or ``skipped``.
        seconds: of its setup, call and teardown.
        message: why it is red or was skipped, in one line.
    """

    nodeid: str
    outcome: str
    seconds: float = 0.0
    message: str = ""

    @property
    def red(self) -> bool:
        """Whether it failed or broke."""
        return self.outcome in RED


@dataclass(frozen=True)
class Noticed:
    """What the tests have noticed of one fault.

    Attributes:
        fault: the fault's name.
        first: the first red test; empty if nothing noticed.
        seconds: of all tests up to the end of that one.
        others: the other red tests.
        passed: the tests that passed.
        problems: what is wrong with that, one line each; empty if the fault was noticed as it should be.
    """

    fault: str
    first: str
    seconds: float
    others: tuple[str, ...]
    passed: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if not self.first and not self.passed:
            return "no test ran"
        more = f", and {len(self.others)} more" if self.others else ""
        return f"{self.first or 'no test'} after {self.seconds:.1f} s{more}"


def judge(fault: Fault, cases: Sequence[Case]) -> Noticed:
    """Compare what was red with what the fault names.

    Args:
        fault: the fault that was in.
        cases: the tests that ran, in their order.
    """
    red = [case for case in cases if case.red]
    first = red[0].nodeid if red else ""
    upto = cases[: cases.index(red[0]) + 1] if red else cases
    return Noticed(
        fault.name,
        first,
        sum(case.seconds for case in upto),
        tuple(case.nodeid for case in red[1:]),
        tuple(case.nodeid for case in cases if case.outcome == "passed"),
        tuple(_problems(fault, red, len(cases))),
    )


def not_tried(fault: Fault, problem: str) -> Noticed:
    """Return the result of a fault whose script failed: it could not be put in, or not be taken out."""
    return Noticed(fault.name, "", 0.0, (), (), (problem,))


def _problems(fault: Fault, red: Sequence[Case], ran: int) -> Iterable[str]:
    if not ran:
        yield "no test ran"
    elif not red:
        yield f"none of {ran} tests noticed that {fault.what}"
    elif not begins(red[0].nodeid, fault.red):
        yield f"the first red test is {red[0].nodeid} ({red[0].message}); it should be one of {', '.join(fault.red)}"
    for case in red:
        if begins(case.nodeid, fault.green):
            yield f"{case.nodeid} is red, and should be green ({case.message})"


def begins(nodeid: str, beginnings: Iterable[str]) -> bool:
    """Return whether a node identifier begins with one of ``beginnings``, at the end of a part of it."""
    return any(nodeid == each or nodeid.startswith((f"{each}::", f"{each}[", f"{each}/")) for each in beginnings)


def never_red(results: Iterable[Noticed]) -> list[str]:
    """Return the tests that passed under at least one fault, and that no fault turned red, sorted."""
    results = list(results)
    red = {nodeid for each in results for nodeid in (each.first, *each.others)}
    return sorted({nodeid for each in results for nodeid in each.passed} - red)
