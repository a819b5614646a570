"""The tutorial's commands print what its page shows, in the order in which the page has them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.running import assert_nothing_is_left
from examples.tutorial import NAME, PAGE, Run, alike, followed, output_of
from testing.installed.environments import environment_for


@pytest.fixture
def directory(tmp_path: Path, run: Run) -> Iterator[Path]:
    """An empty directory with the project's name; what is made in it is removed."""
    empty = tmp_path / NAME
    empty.mkdir()
    yield empty
    run("proving_ground.cli", ["destroy"], empty)


@pytest.fixture
def run() -> Run:
    """Runs a module in an environment that the page's first command makes."""
    environment = environment_for(PAGE.read_text(encoding="utf-8"))

    def run(module: str, words: list[str], project: Path) -> str:
        return output_of([str(environment.python), "-m", module, *words], project, environment.variables())

    return run


@pytest.mark.usefixtures("debian")
def test_the_tutorials_commands_print_what_the_page_shows(directory: Path, run: Run) -> None:
    page = PAGE.read_text(encoding="utf-8")
    now = followed(page, directory, run)
    difference = list(difflib.unified_diff(alike(page), alike(now), "the page", "now", lineterm=""))
    assert difference == [], "\n".join([*difference, "", "`python -m examples.tutorial` writes the page anew"])
    assert_nothing_is_left(directory, "container")
