"""The projects in this directory are no tests of this repository: the tests beside it run each as its user would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.running import HERE, image, run

collect_ignore_glob = ["*/*"]
DEPOT = '"../../depot"'
"""How an example names this repository's depot, from where it lies."""


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the example, in which only the path of the depot is another; its machines are removed."""
    copy = tmp_path / request.param
    shutil.copytree(HERE / request.param, copy, ignore=shutil.ignore_patterns(".*", "artifacts", "__pycache__"))
    table = copy / "pyproject.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(DEPOT, f'"{HERE.parent / "depot"}"'), encoding="utf-8")
    yield copy
    run(copy, "proving_ground.cli", "destroy")


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image ``debian:12``."""
    return image("debian:12", "bookworm", tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def debian_13(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image ``debian:13``."""
    return image("debian:13", "trixie", tmp_path_factory.mktemp("image"))
