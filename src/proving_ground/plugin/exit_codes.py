"""End a run with an error's text and exit code, or fail one test with the text alone."""

from __future__ import annotations

from collections.abc import Generator
from typing import NoReturn

import pytest

from proving_ground.core.errors import HarnessError


class error(pytest.exit.Exception):  # type: ignore[misc, name-defined] # noqa: N801 - the public name has no type
    """Ends the run, as ``pytest.exit`` does, which raises this class's base class.

    pytest shows an exception's name before its text, and its module unless that is ``builtins``. So this class has the
    name that a user reads, ``error: …``; it changes nothing in pytest or the interpreter.
    """

    __module__ = "builtins"


def end_with(cause: HarnessError) -> NoReturn:
    """End the run with the text and the exit code of ``cause``."""
    raise error(str(cause), returncode=cause.exit_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - the hook's own arguments
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show only the text of a HarnessError that a test raised: a traceback through our source would not help a user."""
    report = yield
    if report.failed and call.excinfo is not None and isinstance(call.excinfo.value, HarnessError):
        words = report.longrepr = call.excinfo.getrepr(style="value", chain=False)
        if words.reprcrash is not None:  # the message in pytest's summary and JUnit's results
            words.reprcrash.message = str(call.excinfo.value)
    return report
