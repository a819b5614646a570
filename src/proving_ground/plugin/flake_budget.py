"""Report passing tests that came close to a time-out or retried after an error: the flake budget."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from dataclasses import asdict

import pytest

from proving_ground.core.polling import Waited
from proving_ground.plugin.run import run_of

PROPERTY = "wait"
WORTH_TELLING = 1.0
"""Seconds; shorter waits are a normal part of polling."""

NEAR = 0.5
"""A successful wait that took more than this part of its time-out counts as lucky."""

MOST = 10


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - the hook's own arguments
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the waits of each test and its fixtures to its report, and so to JUnit's results."""
    run = run_of(item.config)
    if "pg_machines" in getattr(item, "fixturenames", []):  # waits of other tests say nothing about machines
        for waited in run.waits:
            if waited.seconds >= WORTH_TELLING or waited.transport_errors:
                item.user_properties.append((PROPERTY, json.dumps(asdict(waited))))
    run.waits.clear()
    return (yield)


def noted(reports: Iterable[pytest.TestReport]) -> list[tuple[str, Waited]]:
    """Return the pairs of test and wait in the reports, each once, although a test has several reports."""
    found = {
        (report.nodeid, value): Waited(**json.loads(str(value)))
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY
    }
    return [(nodeid, waited) for (nodeid, _), waited in found.items()]


def lucky(waited: Waited) -> bool:
    """Return whether the wait came close to its time-out, or retried after a transport error."""
    return waited.transport_errors > 0 or waited.seconds > NEAR * waited.timeout


def described(nodeid: str, waited: Waited) -> str:
    """Format a wait as one line."""
    errors = f", {waited.transport_errors} transport errors" if waited.transport_errors else ""
    last = f"; last: {waited.last_reason.splitlines()[0]}" if waited.last_reason else ""
    return (
        f"{nodeid}: {waited.seconds:.1f} of {waited.timeout:.0f} s, {waited.attempts} attempts{errors}, "
        f"until {waited.what}{last}"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the flake budget: lucky waits of passing tests; if there are none, the wait nearest to its time-out."""
    waits = noted(terminalreporter.getreports("passed"))
    if not waits:
        return
    chosen = sorted((each for each in waits if lucky(each[1])), key=lambda each: -each[1].seconds / each[1].timeout)
    if chosen:
        terminalreporter.section(f"flake budget: {len(chosen)} of {len(waits)} waits of passing tests were lucky")
        for nodeid, waited in chosen[:MOST]:
            terminalreporter.write_line(described(nodeid, waited))
    else:
        nodeid, longest = max(waits, key=lambda each: each[1].seconds / each[1].timeout)
        terminalreporter.write_line(
            f"flake budget: none of {len(waits)} waits was lucky; nearest: {described(nodeid, longest)}"
        )
