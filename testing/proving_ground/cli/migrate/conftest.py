"""Projects of Molecule, as people have them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proving_ground.cli.migrate.scenario import scenarios_of
from proving_ground.cli.migrate.translate import translate
from proving_ground.cli.migrate.translation import Translation
from proving_ground.core.problems import Problem
from proving_ground.core.profiles import problems_of
from proving_ground.core.schema import SCHEMAS, check


def problems_in(table: dict[str, Any]) -> list[Problem]:
    """What is wrong in a table, as the plugin sees it."""
    return [*check(table, SCHEMAS / "project.json"), *problems_of(table)]


Translates = Callable[..., Translation]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A role with a scenario that only has its playbook."""
    directory = tmp_path / "molecule" / "default"
    directory.mkdir(parents=True)
    (directory / "converge.yml").write_text("- hosts: all\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def translated(root: Path) -> Translates:
    """Write molecule.yml of the scenario ``default`` and translate it."""

    def run(text: str, **environment: str) -> Translation:
        file = root / "molecule" / "default" / "molecule.yml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        (scenario,) = scenarios_of(root, environment)
        found = translate(scenario)
        assert problems_in(found.settings) == [], "every translation is one that the plugin accepts"
        return found

    return run
