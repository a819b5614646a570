"""A project with the table runs with the dependencies alone; what asks for machines is told which extra it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from testing.installed.environments import Environment, write

TOPOLOGY = """
networks: {machines: 10.0.0.0/24}
machines:
  web: {count: 1, octet: 101, groups: [web], memory: 256, cpus: 1}
"""

TESTS = """
import pytest

def test_of_no_machine(pg_settings): assert pg_settings.playbook == "site.yml"

@pytest.mark.hosts("web")
def test_of_machines(host): pass

def test_of_a_browser(pg_browser): pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One machine, one play, one test of each kind."""
    directory = tmp_path / "project"
    write(
        directory,
        pyproject__toml="[tool.proving-ground]\n",
        test_it__py=TESTS,
        site__yml="- {name: Web, hosts: web, tasks: []}\n",
    )
    write(directory / "topology", default__yml=TOPOLOGY)
    return directory


def test_a_test_that_asks_for_no_machine_passes(alone: Environment, project: Path) -> None:
    done = alone.pytest(project, "-rA", "-k", "no_machine")
    assert done.code == 0, done.text
    assert done.passed() == ["test_it.py::test_of_no_machine"]
    assert "proving ground: topology default, provider docker" in done.output
    assert "arning" not in done.text


def test_all_tests_are_listed(alone: Environment, project: Path) -> None:
    done = alone.pytest(project, "--collect-only", "-q")
    assert done.code == 0, done.text
    assert "test_it.py::test_of_machines[web-01]" in done.output


def test_a_test_that_asks_for_a_host_ends_the_run_with_the_extra_that_it_lacks(
    alone: Environment, project: Path
) -> None:
    done = alone.pytest(project, "-k", "of_machines")
    assert done.code == 12, done.text
    words = "error: host: pytest-testinfra is not installed — pip install 'pytest-proving-ground[testinfra]'"
    assert done.text.count(words) == 1
    assert "Traceback" not in done.text
    assert "ModuleNotFoundError" not in done.text


def test_vagrants_machines_need_its_extra(alone: Environment, project: Path) -> None:
    (project / "test_machines.py").write_text("def test_machines(pg_machines): pass\n", encoding="utf-8")
    done = alone.pytest(project, "-k", "test_machines")
    assert done.code == 12, done.text
    words = "error: machines: python-vagrant is not installed — pip install 'pytest-proving-ground[vagrant]'"
    assert done.text.count(words) == 1


def test_a_role_without_the_extra_for_host_makes_no_machine(alone: Environment, tmp_path: Path) -> None:
    role = tmp_path / "role"
    write(role, pyproject__toml='[tool.proving-ground]\nimage = "debian:12"\n')
    write(role / "tasks", main__yml="[]\n")
    write(role / "tests", test_role__py="def test_it(host): pass\n")
    done = alone.pytest(role)
    assert done.code == 12, done.text
    assert (
        "error: host: pytest-testinfra is not installed — pip install 'pytest-proving-ground[testinfra]'" in done.text
    )
    assert "containers" not in done.text
    assert not (role / ".proving-ground" / "ledger.json").exists()


def test_a_test_that_asks_for_a_browser_is_told_the_extra_that_it_lacks(alone: Environment, project: Path) -> None:
    done = alone.pytest(project, "-k", "browser")
    assert done.code == 1, done.text
    assert "pg_browser: selenium is not installed — pip install 'pytest-proving-ground[browser]'" in done.output
    assert "vagrant" not in done.output, "machines were asked for first"
    assert "Traceback" not in done.text
