"""Read the results of upstream's cases from its JUnit file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

CASE = "[It] "
"""What the names of cases begin with; other names are those of set-up and clean-up around them."""

NOT_RUN = "skipped"
"""The message of a case that was not chosen, or not reached; one that skips itself says more."""


@dataclass(frozen=True)
class Result:
    """What became of one case.

    Attributes:
        outcome: ``passed``, ``failed`` or ``skipped``, by itself.
        seconds: that it took.
        message: why it failed, with the place, or why it skipped itself.
    """

    outcome: str
    seconds: float
    message: str = ""


@dataclass(frozen=True)
class Results:
    """What became of a run.

    Attributes:
        cases: name → result, of the cases that ran.
        around: one line for each failure outside of the cases, in what is set up before and cleaned up after them.
    """

    cases: Mapping[str, Result] = field(default_factory=dict)
    around: tuple[str, ...] = ()


def read(path: Path) -> Results:
    """Return the results in one file; none if the run wrote no file."""
    if not path.exists():
        return Results()
    cases: dict[str, Result] = {}
    around: list[str] = []
    for element in ElementTree.parse(path).iter("testcase"):
        name, result = element.get("name", ""), _result(element)
        if name.startswith(CASE) and result is not None:
            cases[name.removeprefix(CASE)] = result
        elif not name.startswith(CASE) and result is not None and result.outcome == "failed":
            around.append(f"{name}: {result.message.partition(chr(10))[0]}")
    return Results(cases, tuple(around))


def _result(element: ElementTree.Element) -> Result | None:
    """Return the result of a case; None if it did not run."""
    seconds = float(element.get("time", 0))
    for kind in ("failure", "error"):
        if (found := element.find(kind)) is not None:
            return Result("failed", seconds, (found.text or found.get("message") or kind).strip())
    if (skipped := element.find("skipped")) is not None:
        message = skipped.get("message", "")
        return None if message == NOT_RUN else Result("skipped", seconds, message.removeprefix(f"{NOT_RUN} - "))
    return Result("passed", seconds)
