"""``--pg-role`` runs one role's tests, and of all others only the smoke tests."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.role("web")
@pytest.mark.before_converge
def test_web(): pass

@pytest.mark.role("db", "web")
@pytest.mark.before_converge
def test_both(): pass

@pytest.mark.role("db")
@pytest.mark.before_converge
def test_db(): pass

@pytest.mark.smoke
def test_smoke(): pass
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject="[tool.proving-ground]\nsteps = false")
    planned.makepyfile(test_x=TESTS)
    return planned


def chosen(project: pytest.Pytester, *words: str) -> list[str]:
    result = project.runpytest("--collect-only", "-q", *words)
    return [line.partition("::")[2] for line in result.stdout.lines if "::" in line]


def test_tests_of_the_role_run_and_smoke_tests(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(project, "--pg-role=web") == ["test_web", "test_both", "test_smoke"]
    assert chosen(project, "--pg-role=web", "--pg-role", "db") == ["test_web", "test_both", "test_db", "test_smoke"]
    monkeypatch.setenv("PG_ROLE", "db")
    assert chosen(project) == ["test_both", "test_db", "test_smoke"]


def test_role_that_no_test_has_is_an_error_with_the_nearest_one(project: pytest.Pytester) -> None:
    result = project.runpytest("--pg-role=wep")
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*error: --pg-role: no test has the role 'wep' in its marker — did you mean web?*"])
