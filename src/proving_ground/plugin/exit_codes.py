"""How an error of the harness is told: in its own words; it ends a run with its own exit code, or fails one test."""

from __future__ import annotations

from collections.abc import Generator
from typing import NoReturn

import pytest

from proving_ground.core.errors import HarnessError


class Ending(pytest.exit.Exception):  # type: ignore[misc, name-defined] # the public name has no type
    """Ends the run, as ``pytest.exit`` does. pytest shows its name before the words: see below."""


Ending.__module__, Ending.__name__, Ending.__qualname__ = "builtins", "error", "error"


def end_with(error: HarnessError) -> NoReturn:
    """End the run with the words and the exit code of ``error``."""
    raise Ending(str(error), returncode=error.exit_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - the hook's own arguments
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that ran into such an error shows its words alone: a traceback through our source is for our bugs."""
    report = yield
    if report.failed and call.excinfo is not None and isinstance(call.excinfo.value, HarnessError):
        words = report.longrepr = call.excinfo.getrepr(style="value", chain=False)
        if words.reprcrash is not None:  # what the summary and JUnit have of it
            words.reprcrash.message = str(call.excinfo.value)
    return report
