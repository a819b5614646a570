"""Tests under a fault: none that disturbs the machines itself, and not many after the first red one."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_first(): pass

def test_red(): assert False

@pytest.mark.disruptive
def test_that_disturbs(): assert False

def test_last(): pass
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject="[tool.proving-ground]\nsteps = false")
    planned.makepyfile(test_x=TESTS)
    return planned


@pytest.mark.parametrize(
    ("seconds", "outcomes"),
    [
        ("", {"passed": 2, "failed": 2}),
        ("60", {"passed": 2, "failed": 1, "deselected": 1}),
        ("0", {"passed": 1, "failed": 1, "deselected": 1}),
    ],
)
def test_run_under_a_fault_disturbs_nothing_and_ends_after_the_first_red_test(
    seconds: str, outcomes: dict[str, int], project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_UNDER_FAULT", seconds)
    project.runpytest().assert_outcomes(**outcomes)


WAITING = """
import time

def test_red(): assert False, "the fault"

def test_that_waits(): time.sleep({seconds})

def test_last(): pass
"""


@pytest.mark.parametrize(
    ("seconds", "outcomes"),
    [(30, {"failed": 1, "skipped": 1}), (0, {"failed": 1, "passed": 2})],
    ids=["too-long", "in-time"],
)
def test_a_test_that_still_waits_then_is_cut_off_and_is_neither_red_nor_green(
    seconds: int, outcomes: dict[str, int], project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_UNDER_FAULT", "1")
    project.makepyfile(test_x=WAITING.format(seconds=seconds))
    result = project.runpytest_subprocess("-rs", timeout=25)
    result.assert_outcomes(**outcomes)
    if "skipped" in outcomes:
        result.stdout.fnmatch_lines(["*it had not ended 1 s after the first red test*"])
