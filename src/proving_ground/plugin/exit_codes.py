"""End a run with an error's own words and exit code, or fail one test with its words alone."""

from __future__ import annotations

from collections.abc import Generator
from typing import NoReturn

import pytest

from proving_ground.core.errors import HarnessError


class error(pytest.exit.Exception):  # type: ignore[misc, name-defined] # noqa: N801 - the public name has no type
    """Ends the run, as ``pytest.exit`` does, which raises the class that this one is made of.

    pytest shows an exception's name before its words, and its module unless that is ``builtins``. So this class, which
    is ours, has the name that a user is to read, ``error: …``; nothing of pytest or of the interpreter is changed.
    """

    __module__ = "builtins"


def end_with(cause: HarnessError) -> NoReturn:
    """End the run with the words and the exit code of ``cause``."""
    raise error(str(cause), returncode=cause.exit_code)


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
