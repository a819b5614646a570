"""CI's matrix: every environment that is named is one of ``tox.ini``, and CI's files call tox and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github" / "workflows" / "ci.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
MATRIX = re.compile(r"py3(\d+)-ansible2(\d+)(?:-pytest(\d)(\d))?")

CALL = re.compile(
    r"(?:pipx run )?tox run (?:--skip-missing-interpreters false )?"
    r"-e (?P<environment>[a-z0-9-]+|\$\{\{ matrix\.environment \}\}|\$ENVIRONMENT)"
)


@cache  # no test changes what it reads
def told(*arguments: str) -> str:
    """What tox says of its configuration."""
    command = [sys.executable, "-m", "tox", *arguments, "-c", str(ROOT / "tox.ini"), "--colored", "no"]
    # What is asked of the tox that runs these tests is not asked of this one.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TOX_", "PG_", "ANSIBLE_"))
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout


def env_list() -> list[str]:
    """The environments that tox runs where none is named."""
    found: list[str] = json.loads(told("config", "--core", "-k", "env_list", "--format", "json"))["tox"]["env_list"]
    return found


@pytest.fixture(scope="module")
def environments() -> dict[str, dict[str, Any]]:
    """Commands and variables of every environment, by its name."""
    keys = ("commands", "set_env", "description", "package")
    found = json.loads(told("config", "-e", "ALL", "-k", *keys, "--format", "json"))["env"]
    return {name: each for name, each in found.items() if not name.startswith(".")}  # .pkg builds the wheel


@pytest.fixture(scope="module")
def matrix() -> set[str]:
    """The environments that ``tox -m matrix`` runs."""
    return set(told("list", "-m", "matrix", "--no-desc", "-q").split())


def github() -> tuple[list[str], list[list[str]]]:
    """Commands of GitHub's jobs, and the environments that each job names in its matrix."""
    jobs = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"].values()
    commands = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    return commands, [job["strategy"]["matrix"]["environment"] for job in jobs if "strategy" in job]


def gitlab() -> tuple[list[str], list[list[str]]]:
    """Commands of GitLab's jobs, and the environments that each job names in its matrix."""
    content = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    parts = [part for part in content.values() if isinstance(part, dict)]
    kinds = ("before_script", "script", "after_script")
    commands = [command for part in parts for kind in kinds for command in part.get(kind, [])]
    rows = [part["parallel"]["matrix"] for part in parts if "parallel" in part]
    return commands, [[name for row in job for name in row["ENVIRONMENT"]] for job in rows]


SERVICES = pytest.mark.parametrize("service", [github, gitlab])


@SERVICES
def test_ci_calls_tox_and_nothing_else(service: Any) -> None:
    commands, _ = service()
    calls = [command for command in commands if command != "python -m pip install tox"]
    assert len(calls) >= 7
    assert [command for command in calls if CALL.fullmatch(command) is None] == []


@SERVICES
def test_ci_runs_environments_that_exist(service: Any, environments: dict[str, dict[str, Any]]) -> None:
    commands, jobs = service()
    called = {found["environment"] for command in commands if (found := CALL.fullmatch(command)) is not None}
    named = {name for name in called if "$" not in name} | {name for job in jobs for name in job}
    assert {"setup", "depot", "lint", "unit", "integration", "integration-etcd3"} <= named
    assert named - set(environments) == set()


@SERVICES
def test_ci_runs_all_that_make_test_runs(service: Any) -> None:
    _, jobs = service()
    assert set(env_list()) - {name for job in jobs for name in job} == set()


@SERVICES
def test_ci_runs_the_whole_matrix(service: Any, matrix: set[str]) -> None:
    _, jobs = service()
    assert {name for job in jobs for name in job if MATRIX.fullmatch(name)} == matrix


def test_both_services_run_the_same() -> None:
    assert sorted(map(sorted, github()[1])) == sorted(map(sorted, gitlab()[1]))


def test_the_matrix_is_what_the_project_says_it_supports(matrix: set[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cells = [(int(found[1]), int(found[2])) for name in matrix if (found := MATRIX.fullmatch(name)) is not None]
    assert len(cells) == len(matrix)
    minors = {found[1] for each in project["classifiers"] if (found := re.search(r"Python :: 3\.(\d+)$", each))}
    assert {str(python) for python, _ in cells} == minors
    assert f">=3.{min(cells)[0]}" == project["requires-python"]
    assert f"ansible-core>=2.{min(ansible for _, ansible in cells)}" in project["dependencies"]
    (pytest_,) = [found.groups()[2:] for name in matrix if (found := MATRIX.fullmatch(name)) is not None and found[3]]
    assert f"pytest>={'.'.join(pytest_)}" in project["dependencies"], "the oldest; all others run with the newest"


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("Makefile", r"\$\(tox\) (\S+)"), ("README.md", r"tox\s-e\s([a-z0-9-]+)")],
)
def test_environments_that_are_recommended_exist(
    file: str, pattern: str, environments: dict[str, dict[str, Any]]
) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    named = set(re.findall(pattern, text))
    assert {"lint", "unit", "integration"} <= named
    assert named - set(environments) == set()


def test_make_test_runs_what_tox_runs_by_itself() -> None:
    found = re.search(r"^test: (.*?) *##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1].split() == env_list()


def test_every_environment_runs_something(environments: dict[str, dict[str, Any]]) -> None:
    """An environment without commands would be green whatever is broken."""
    assert [name for name, each in environments.items() if not each["commands"]] == []
    assert [name for name, each in environments.items() if not each["description"]] == []


def test_the_matrix_installs_the_plugin_as_its_users_do(
    matrix: set[str], environments: dict[str, dict[str, Any]]
) -> None:
    """A wheel lacks files that a checkout has, and its dependencies are the newest."""
    assert {environments[name]["package"] for name in matrix} == {"wheel"}
    ours = str(ROOT / ".venv")
    assert [name for name in matrix if ours in environments[name]["set_env"].get("PATH", "")] == [], "another Ansible"


@pytest.mark.parametrize(
    ("environment", "variables"),
    [
        ("integration", {}),
        ("integration-default", {"PG_TOPOLOGY": "default"}),
        ("integration-single", {"PG_TOPOLOGY": "single"}),
        ("integration-etcd3", {"PG_TOPOLOGY": "etcd3"}),
        ("integration-docker", {"PG_PROVIDER": "docker"}),
        ("integration-libvirt", {"PG_PROVIDER": "libvirt", "PG_TOPOLOGY": "single"}),
        ("integration-default-libvirt", {"PG_PROVIDER": "libvirt", "PG_TOPOLOGY": "default"}),
        ("integration-ha", {"PG_TOPOLOGY": "ha"}),
        ("integration-ha-stacked", {"PG_TOPOLOGY": "ha-stacked"}),
        ("integration-ha-libvirt", {"PG_PROVIDER": "libvirt", "PG_TOPOLOGY": "ha"}),
        ("integration-ha-stacked-libvirt", {"PG_PROVIDER": "libvirt", "PG_TOPOLOGY": "ha-stacked"}),
        ("integration-etcd3-libvirt", {"PG_PROVIDER": "libvirt", "PG_TOPOLOGY": "etcd3"}),
        ("integration-checkpoints", {"PG_CHECKPOINTS": "1"}),
        ("integration-linear", {"ANSIBLE_STRATEGY": "ansible.builtin.linear"}),
        (
            "integration-single-checkpoints-linear",
            {"PG_TOPOLOGY": "single", "PG_CHECKPOINTS": "1", "ANSIBLE_STRATEGY": "ansible.builtin.linear"},
        ),
    ],
)
def test_a_factor_asks_for_what_it_is_called(
    environment: str, variables: dict[str, str], environments: dict[str, dict[str, Any]]
) -> None:
    found = environments[environment]["set_env"]
    assert {name: value for name, value in found.items() if name.startswith(("PG_", "ANSIBLE_"))} == variables
