"""Convert pytest's reports, several for each test, to one result per test. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proving_ground.core.redact import redact
from proving_ground.plugin.flake_budget import described, lucky, noted

SEVERITY = ("error", "failed", "xpassed", "skipped", "xfailed", "passed")
"""Outcomes, worst first: a test that passed, but whose teardown failed, is an error."""

RED = ("error", "failed")
LONGEST = 20_000
"""The largest number of characters of a failure's details in the report."""


@dataclass(frozen=True)
class Failure:
    """Why a test is red: the step in which it failed, the message, and traceback with captured output."""

    step: str
    message: str
    details: str


@dataclass(frozen=True)
class Wait:
    """A wait of a test as text, and whether it came close to its time-out."""

    text: str
    lucky: bool


@dataclass(frozen=True)
class Result:
    """One test.

    Attributes:
        nodeid: the test's node id.
        outcome: one of :data:`SEVERITY`.
        start: when its setup began, in seconds since 1970.
        setup: seconds of its setup, in which fixtures may bring up a whole cluster.
        seconds: seconds of setup, call and teardown.
        called: when its call began and ended; None if it did not begin.
        failures: why it is red; empty if it is not.
        reason: why it was skipped, or was expected to fail.
        waits: its waits.
        remarks: where its evidence is, or why there is none.
    """

    nodeid: str
    outcome: str
    start: float = 0.0
    setup: float = 0.0
    seconds: float = 0.0
    called: tuple[float, float] | None = None
    failures: tuple[Failure, ...] = ()
    reason: str = ""
    waits: tuple[Wait, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def red(self) -> bool:
        """Whether its call, setup or teardown failed."""
        return self.outcome in RED

    @property
    def file(self) -> str:
        """The test's file."""
        return self.nodeid.partition("::")[0]

    @property
    def name(self) -> str:
        """The test's name within the file; the file's name for a file that could not be collected."""
        return self.nodeid.partition("::")[2] or self.nodeid


def results(stats: Mapping[str, Sequence[Any]]) -> tuple[Result, ...]:
    """Return one result for each test, in the order in which they began.

    Args:
        stats: the terminal reporter's: category → reports. Entries that are not reports of tests or files are ignored.
    """
    reports: dict[str, list[tuple[str, Any]]] = {}
    for category, members in stats.items():
        for report in members:
            if category in {"warnings", "deselected"} or not hasattr(report, "longrepr"):
                continue
            reports.setdefault(report.nodeid, []).append((category, report))
    found = [result for nodeid, each in reports.items() if (result := _result(nodeid, each)) is not None]
    return tuple(sorted(found, key=lambda result: result.start))


def counts(stats: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Return the number of tests for each outcome, as in pytest's last line, worst first."""
    return {name: len(stats[name]) for name in (*SEVERITY, "deselected") if stats.get(name)}


def _result(nodeid: str, reports: Sequence[tuple[str, Any]]) -> Result | None:
    categories = {category for category, _ in reports}
    outcome = next((name for name in SEVERITY if name in categories), None)
    if outcome is None:
        return None
    ordered = sorted((report for _, report in reports), key=lambda report: getattr(report, "start", 0.0))
    parts = [report for report in ordered if not hasattr(report, "context")]  # a subtest's time is in its test's
    calls = [report for report in parts if getattr(report, "when", "") == "call"]
    red = {id(report) for category, report in reports if category in RED}
    return Result(
        nodeid,
        outcome,
        start=min((getattr(report, "start", 0.0) for report in parts), default=0.0),
        setup=sum(_seconds(report) for report in parts if getattr(report, "when", "") == "setup"),
        seconds=sum(_seconds(report) for report in parts),
        called=(calls[0].start, calls[0].stop) if calls else None,
        failures=tuple(_failure(report) for report in ordered if id(report) in red),
        reason=_reason(outcome, ordered),
        waits=tuple(_waits(nodeid, ordered)),
        remarks=tuple(
            dict.fromkeys(text for report in ordered for name, text in report.sections if name == "evidence")
        ),
    )


def _seconds(report: Any) -> float:
    return float(getattr(report, "duration", 0.0))


def _failure(report: Any) -> Failure:
    whole = str(report.longreprtext)
    crash = getattr(report.longrepr, "reprcrash", None)
    message = str(getattr(crash, "message", "")) or whole
    describe = getattr(report, "_sub_test_description", None)
    step = f"subtest {describe()}" if describe is not None else str(report.when)
    captured = [f"----- {name}\n{text}" for name, text in report.sections if name != "evidence"]
    # Redact before cutting: redact() does not recognize a secret that is cut in half.
    return Failure(step, shortened(redact(message), 4000), shortened(redact("\n".join([whole, *captured])), LONGEST))


def shortened(text: str, most: int) -> str:
    """Cut out the middle of a text that is longer than ``most`` characters: its ends have the cause."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _reason(outcome: str, reports: Iterable[Any]) -> str:
    for report in reports:
        if outcome in {"xfailed", "xpassed"} and hasattr(report, "wasxfail"):
            return str(report.wasxfail)
        if outcome == "skipped" and isinstance(report.longrepr, tuple):
            return str(report.longrepr[-1]).removeprefix("Skipped: ")
    return ""


def _waits(nodeid: str, reports: Sequence[Any]) -> Iterable[Wait]:
    # A file that cannot be collected has a report without properties.
    for _, waited in noted(report for report in reports if hasattr(report, "user_properties")):
        yield Wait(described(nodeid, waited).removeprefix(f"{nodeid}: "), lucky(waited))
