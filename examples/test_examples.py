"""Each example runs as somebody else's project: outside of this checkout, by pytest alone, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger
from proving_ground.plugin.options import OPTIONS
from proving_ground.providers import registry

HERE = Path(__file__).parent
DEPOT = '"../../depot"'
"""How an example names this repository's depot, from where it lies."""


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the example, in which only the path of the depot is another; its machines are removed."""
    copy = tmp_path / request.param
    shutil.copytree(HERE / request.param, copy, ignore=shutil.ignore_patterns(".*", "artifacts", "__pycache__"))
    table = copy / "pyproject.toml"
    text = table.read_text(encoding="utf-8")
    assert DEPOT in text
    table.write_text(text.replace(DEPOT, f'"{HERE.parent / "depot"}"'), encoding="utf-8")
    yield copy
    run(copy, "proving_ground.cli", "destroy")


def run(project: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Python's in the project, with nothing that was asked of this run."""
    asked = {"CI", "PYTEST_ADDOPTS", "ANSIBLE_CONFIG", *(option.variable for option in OPTIONS)}
    environment = {name: value for name, value in os.environ.items() if name not in asked}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=900)


@pytest.mark.parametrize("project", ["smallest"], indirect=True)
def test_a_project_with_one_test_and_a_topology_of_three_lines_gets_a_machine(project: Path) -> None:
    files = sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    assert files == ["README.md", "pyproject.toml", "test_web.py", "topology/default.yml"]
    assert len((project / "topology" / "default.yml").read_text(encoding="utf-8").splitlines()) == 3
    result = run(project, "pytest")
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    suite = ElementTree.parse(project / "artifacts" / "latest" / "junit.xml").getroot()
    cases = {case.get("name"): [outcome.tag for outcome in case] for case in suite.iter("testcase")}
    assert cases == {"test_the_machine_is_up_and_has_its_name[web-01]": []}, "it ran, on that machine, and passed"
    settings = Settings(project, "afterwards")
    assert Ledger(settings.state_directory).read() is None
    assert not registry.of(settings).has_leftovers()
