"""While a fault is in: run no test that disturbs the machines itself, and end soon after the first red one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from types import FrameType

import pytest

from proving_ground.plugin.chosen_roles import keep

UNDER_FAULT = "PG_UNDER_FAULT"
"""The environment variable of such runs: for how many seconds they go on after the first red test."""

DISTURBING = ("lifecycle", "disruptive")
"""Markers of tests that would hide what the fault does."""


def pytest_configure(config: pytest.Config) -> None:
    """Watch for the first red test."""
    if seconds := os.environ.get(UNDER_FAULT):
        config.pluginmanager.register(UnderFault(float(seconds)))


class UnderFault:
    """Ends a run soon after its first red test: many more say little more, and each may wait for its time-out.

    Args:
        seconds: how long it goes on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = float("inf")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session, which can be told to end."""
        self._session = session

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the tests that disturb."""
        keep(config, items, [not any(item.get_closest_marker(name) for name in DISTURBING) for item in items])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first red test."""
        if report.failed:
            self._ends = min(self._ends, time.monotonic() + self._seconds)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Skip a test whose fixtures still wait when the run has to end."""
        return (yield from self._until_the_end())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Skip the rest of a test that still waits when the run has to end."""
        return (yield from self._until_the_end())

    def _until_the_end(self) -> Generator[None, object, object]:
        """Let a step of a test go on, at most until the run has to end: it says no more about the fault."""
        if self._ends == float("inf"):
            return (yield)

        def late(_number: int, _frame: FrameType | None) -> None:
            pytest.skip(f"it had not ended {self._seconds:g} s after the first red test")

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, self._ends - time.monotonic()))
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def pytest_runtest_logfinish(self) -> None:
        """End the run after a test, when it is time."""
        if time.monotonic() >= self._ends:
            self._session.shouldstop = f"{self._seconds:g} s after the first red test under a fault"
