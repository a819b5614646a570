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
