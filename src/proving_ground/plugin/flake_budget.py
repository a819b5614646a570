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
"""Seconds: shorter waits are how polling works."""

NEAR = 0.5
"""The part of its limit beyond which a wait that succeeded counts as lucky."""

MOST = 10


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - the hook's own arguments
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the waits of each test, those of its fixtures among them, in its report and so in JUnit's results."""
    run = run_of(item.config)
    if "pg_machines" in getattr(item, "fixturenames", []):  # what waits without machines waits for itself
        for waited in run.waits:
            if waited.seconds >= WORTH_TELLING or waited.transport_errors:
                item.user_properties.append((PROPERTY, json.dumps(asdict(waited))))
    run.waits.clear()
    return (yield)


def noted(reports: Iterable[pytest.TestReport]) -> list[tuple[str, Waited]]:
    """Test and wait, for every wait that reports tell of; each once, although a test has several reports."""
    found = {
        (report.nodeid, value): Waited(**json.loads(str(value)))
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY
    }
    return [(nodeid, waited) for (nodeid, _), waited in found.items()]


def lucky(waited: Waited) -> bool:
    """Whether a slower moment would have made a failure of it, or an error had to be overlooked."""
    return waited.transport_errors > 0 or waited.seconds > NEAR * waited.timeout


def described(nodeid: str, waited: Waited) -> str:
    """One wait in one line."""
    errors = f", {waited.transport_errors} transport errors" if waited.transport_errors else ""
    last = f"; last: {waited.last_reason.splitlines()[0]}" if waited.last_reason else ""
    return (
        f"{nodeid}: {waited.seconds:.1f} of {waited.timeout:.0f} s, {waited.attempts} attempts{errors}, "
        f"until {waited.what}{last}"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The longest wait in one line, and the flake budget: passing tests that would not have passed on a worse day."""
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
