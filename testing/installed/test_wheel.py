"""The wheel holds all of the package, and what a package index asks for."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from testing.installed.environments import ROOT, Environment

SOURCE = ROOT / "src"
DATA = ("report/page.html.j2", "report/pictures.html.j2", "report/page.css", "py.typed")
VAGRANT = ("machines/vagrantfiles/Vagrantfile", "machines/vagrantfiles/proving_ground.rb")


def test_every_file_of_the_package_is_in_the_wheel_and_none_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names == {str(path.relative_to(SOURCE)) for path in files}
    assert {f"proving_ground/{name}" for name in (*DATA, *VAGRANT)} <= names


def test_an_index_takes_both_distributions(distributions: Path) -> None:
    files = [str(path) for path in distributions.iterdir()]
    assert len(files) == 2
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_is_installed(alone: Environment, tmp_path: Path) -> None:
    program = str(alone.directory / "bin" / "proving-ground")
    done = subprocess.run([program, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert "destroy" in done.stdout
