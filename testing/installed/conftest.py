"""The distributions, built once, and environments that the wheel is installed in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from testing.installed.environments import Environment, built


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """All tests of this directory are such tests."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("installed")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that sdist and wheel have been built into, as for a release."""
    return built(tmp_path_factory.mktemp("distributions"))


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel without any extra."""
    return Environment.made(tmp_path_factory.mktemp("alone") / "venv", str(wheel))


@pytest.fixture(scope="session")
def without(alone: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same packages in the same versions, but for the plugin."""
    others = [each for each in alone.versions() if not each.startswith("pytest-proving-ground")]
    assert len(others) == len(alone.versions()) - 1
    return Environment.made(tmp_path_factory.mktemp("without") / "venv", "--no-deps", *others)


@pytest.fixture(scope="session")
def bare(alone: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same version of pytest, and nothing else."""
    (version,) = [each for each in alone.versions() if each.startswith("pytest==")]
    return Environment.made(tmp_path_factory.mktemp("bare") / "venv", version)


@pytest.fixture(scope="session")
def with_machines(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with what README tells to install, and pytest-xdist."""
    return Environment.made(tmp_path_factory.mktemp("machines") / "venv", f"{wheel}[vagrant,xdist]")


@pytest.fixture(scope="session")
def crowded(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside all those other plugins that can live together."""
    others = ("pytest-xdist", "pytest-ansible", "django", "pytest-django", "pytest-playwright", "pytest-docker")
    return Environment.made(tmp_path_factory.mktemp("crowded") / "venv", str(wheel), *others)


@pytest.fixture(scope="session")
def with_both(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """pytest-testinfra and pytest-ansible, of which pytest can load only one."""
    return Environment.made(tmp_path_factory.mktemp("both") / "venv", f"{wheel}[vagrant]", "pytest-ansible")
