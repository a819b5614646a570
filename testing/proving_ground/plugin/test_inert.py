"""In a project without the table the plugin loads its options and nothing else, at the cost of a few milliseconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proving_ground.core.table import is_asked_for
from proving_ground.plugin.entry_point import OF_REPORT, PARTS

MILLISECONDS = 20
"""What the plugin may cost a project that does not use it."""

LIGHT = {
    "proving_ground",
    "proving_ground.core",
    "proving_ground.core.table",
    "proving_ground.plugin",
    "proving_ground.plugin.entry_point",
    "proving_ground.plugin.hookspecs",
    "proving_ground.plugin.options",
}

OURS_TO_LOAD = ("yaml", "ansible", "ansible_runner", "jinja2", "rich", "psutil", "filelock", "vagrant", "kubernetes")
"""What the plugin needs where it is used; pytest and the plugins beside it need none of these."""

EXTRAS = ("vagrant", "testinfra", "kubernetes", "selenium", "xdist", "cryptography", "mitogen")

EMPTY_RUN = """
import json, sys
import pytest
pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:pytest11.testinfra", "-p", "no:xdist", "-p", "proving-ground"])
print(json.dumps(sorted(sys.modules)))
"""

TIMED = """
import sys, time
import pytest
spent = 0.0

def timed(call, *arguments):
    global spent
    begin = time.process_time()
    result = call(*arguments)
    spent += time.process_time() - begin
    return result

def load():
    from proving_ground.plugin import entry_point, hookspecs
    return entry_point

plugin = timed(load)

class Timed:
    def pytest_addoption(self, parser): timed(plugin.pytest_addoption, parser)
    def pytest_addhooks(self, pluginmanager): timed(plugin.pytest_addhooks, pluginmanager)
    def pytest_configure(self, config):
        timed(plugin.pytest_configure, config)
        timed(config.pluginmanager.getplugin("proving-ground-last").pytest_configure, config)

code = pytest.main(["-q", "-p", "no:cacheprovider"], plugins=[Timed()])
assert code == 0, code
print(spent)
"""


def last_line(program: str, project: Path) -> str:
    """What a program says last that runs pytest in a project."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "theirs"\n[tool.pytest.ini_options]\n', encoding="utf-8"
    )
    return tmp_path


def test_nothing_but_the_options_is_imported(project: Path) -> None:
    modules = json.loads(last_line(EMPTY_RUN, project))
    assert {name for name in modules if name.partition(".")[0] == "proving_ground"} == LIGHT
    assert not set(OURS_TO_LOAD) & set(modules)


def test_it_costs_a_few_milliseconds(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time of that process alone, and the least of several: what else the machine does is not counted."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # TIMED loads it by hand
    spent = min(float(last_line(TIMED, project)) for _ in range(3))
    assert 0 < spent * 1000 <= MILLISECONDS


def test_no_part_needs_an_extra_to_be_loaded() -> None:
    parts = [f"proving_ground.plugin.{part}" for part in (*PARTS, "fixtures")]
    parts += [f"proving_ground.report.{part}" for part in OF_REPORT]
    program = f"import sys, {', '.join(parts)}\nprint([name for name in {EXTRAS!r} if name in sys.modules])"
    assert last_line(program, Path.cwd()) == "[]"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("[tool.proving-ground]", True),
        ("  [ tool . proving-ground ]", True),
        ('[tool."proving-ground"]', True),
        ("[tool.proving-ground.phases]\nbottom = 'First'", True),
        ("[tool.proving-ground]\nthis is no TOML", True),
        ("[tool.proving-ground-of-theirs]", False),
        ("[tool.pytest.ini_options]", False),
        ("# [tool.proving-ground]", False),
        ("help = '''\n[tool.proving-ground]\n'''", False),
    ],
)
def test_a_project_asks_by_its_table_alone(tmp_path: Path, text: str, *, asked: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(text + "\n", encoding="utf-8")
    assert is_asked_for(tmp_path) is asked


def test_an_option_without_the_table_is_refused_in_one_line(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--pg-keep=always"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--pg-keep: {project / 'pyproject.toml'} has no table [tool.proving-ground]" in done.stderr
