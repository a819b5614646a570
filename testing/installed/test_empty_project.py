"""In a project without the table pytest behaves to the byte as without the plugin."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from proving_ground.plugin.options import OPTIONS
from testing.installed.environments import Done, Environment, write

CONFTEST = """
import pytest

@pytest.fixture
def settings(): return "theirs"

@pytest.fixture
def host(): return "theirs"
"""

TESTS = """
import warnings
import pytest

def test_passes(settings, host): assert settings == host == "theirs"
def test_fails(): assert 1 == 2
def test_skips(): pytest.skip("not today")
def test_warns(): warnings.warn("beware")
"""

OF_PLUGINS = re.compile(r"^plugins: .*\n", re.MULTILINE)
"""The line of the header in which pytest itself names every plugin that is installed, ours among them."""

TIMES = re.compile(r"\d+\.\d\ds")


def run(environment: Environment, project: Path, *arguments: str, **variables: str) -> tuple[Done, set[str]]:
    """A run in the project as it is written anew, at the same path each time; and the files that there are after it."""
    shutil.rmtree(project, ignore_errors=True)
    write(project, conftest__py=CONFTEST, test_it__py=TESTS, pyproject__toml='[project]\nname = "theirs"\n')
    done = environment.pytest(project, *arguments, **variables)
    return done, {str(path.relative_to(project)) for path in project.rglob("*")}


PLACES = re.compile(r"\S+/site-packages/")
"""Where an environment is."""


def told(done: Done) -> str:
    """What a run printed, but for times, the place of its environment and the line of installed plugins."""
    return OF_PLUGINS.sub("", PLACES.sub("", TIMES.sub("0.00s", done.output)))


@pytest.mark.parametrize("arguments", [(), ("-rA",), ("-q",), ("--junit-xml=j.xml",), ("-x",), ("--collect-only",)])
def test_output_exit_code_and_files_are_those_of_pytest_alone(
    alone: Environment, bare: Environment, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ours, files = run(alone, tmp_path / "project", *arguments)
    theirs, their_files = run(bare, tmp_path / "project", *arguments)
    assert told(ours) == told(theirs)
    assert (ours.code, ours.errors, files) == (theirs.code, theirs.errors, their_files)
    assert ours.code == (0 if "--collect-only" in arguments else 1)


def test_one_line_names_the_plugin_and_that_is_pytests_own(
    alone: Environment, without: Environment, tmp_path: Path
) -> None:
    ours, theirs = (run(each, tmp_path / "project")[0] for each in (alone, without))
    ((line,), (their_line,)) = (OF_PLUGINS.findall(done.output) for done in (ours, theirs))
    names, their_names = (re.split(r", |: ", each.strip()) for each in (line, their_line))
    assert [name for name in names if name not in their_names] == ["proving-ground-0.2.0"]
    assert sorted(names) == sorted([*their_names, "proving-ground-0.2.0"])
    assert told(ours) == told(theirs)


@pytest.mark.parametrize("asked", ["--markers", "--fixtures"])
def test_it_adds_no_marker_and_no_fixture(alone: Environment, without: Environment, tmp_path: Path, asked: str) -> None:
    ours, theirs = (run(each, tmp_path / "project", asked)[0] for each in (alone, without))
    assert told(ours) == told(theirs)
    assert (ours.code, ours.errors) == (theirs.code, theirs.errors) == (0, "")


def test_help_has_its_options_and_is_the_same_otherwise(
    alone: Environment, without: Environment, tmp_path: Path
) -> None:
    ours, theirs = (run(each, tmp_path / "project", "--help")[0] for each in (alone, without))
    before, title, after = ours.output.partition("Proving Ground: machines and playbooks:\n")
    options, blank, after = after.partition("\n\n")
    assert title
    assert blank
    assert before + after == theirs.output
    assert re.findall(r"^  (--\S+?)(?:=|\s)", options, re.MULTILINE) == [option.flag for option in OPTIONS]


def test_environment_variables_mean_nothing_to_it(alone: Environment, bare: Environment, tmp_path: Path) -> None:
    wrong = {option.variable: "moon" for option in OPTIONS}
    ours, files = run(alone, tmp_path / "project", **wrong)
    theirs, their_files = run(bare, tmp_path / "project")
    assert (told(ours), ours.code, ours.errors, files) == (told(theirs), theirs.code, theirs.errors, their_files)
