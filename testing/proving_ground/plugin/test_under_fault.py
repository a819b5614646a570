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
import pytest, time

@pytest.fixture
def slow(request): time.sleep(request.param)

def test_red(): assert False, "the fault"

@pytest.mark.parametrize("slow", [{in_fixture}], indirect=True)
def test_that_waits(slow): time.sleep({in_test})

def test_last(): pass
"""


@pytest.mark.parametrize(
    ("in_fixture", "in_test", "outcomes"),
    [
        (30, 0, {"failed": 1, "skipped": 1}),
        (0, 30, {"failed": 1, "skipped": 1}),
        (0, 0, {"failed": 1, "passed": 2}),
    ],
    ids=["too-long-in-a-fixture", "too-long-in-the-test", "in-time"],
)
def test_a_test_that_still_waits_then_is_cut_off_and_is_neither_red_nor_green(
    in_fixture: int, in_test: int, outcomes: dict[str, int], project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_UNDER_FAULT", "1")
    project.makepyfile(test_x=WAITING.format(in_fixture=in_fixture, in_test=in_test))
    result = project.runpytest_subprocess("-rs", timeout=25)
    result.assert_outcomes(**outcomes)
    if "skipped" in outcomes:
        result.stdout.fnmatch_lines(["*it had not ended 1 s after the first red test*"])
