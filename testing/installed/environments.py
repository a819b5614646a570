"""Fresh environments of Python, and runs of pytest in them."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 300
"""Seconds for one command; on a busy machine a run of pytest takes ten."""


@dataclass(frozen=True)
class Done:
    """A run of pytest that has ended: exit code, what it printed on standard output and standard error."""

    code: int
    output: str
    errors: str

    @property
    def text(self) -> str:
        return self.output + self.errors

    def passed(self) -> list[str]:
        """Tests that passed, as ``-rA`` tells of them."""
        return re.findall(r"^PASSED (\S+)", self.output, re.MULTILINE)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing of this checkout in it."""

    directory: Path

    @classmethod
    def made(cls, directory: Path, *requirements: str) -> Environment:
        """Make one; the packages come from an index, or from uv's cache of it."""
        environment = cls(directory)
        uv("venv", "--quiet", "--python", sys.executable, str(directory))
        uv("pip", "install", "--quiet", "--python", str(environment.python), *requirements)
        return environment

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def versions(self) -> list[str]:
        """What is installed, each as ``name==version`` or ``name @ file``."""
        return uv("pip", "freeze", "--python", str(self.python)).splitlines()

    def variables(self) -> dict[str, str]:
        """The environment variables of a user of this environment: none of the run that asks."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "PG_", "PYTHON", "DJANGO", "ANSIBLE", "COV_"))
            and name not in {"CI", "VIRTUAL_ENV"}
        }
        return kept | {"PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}", "COLUMNS": "120"}

    def pytest(self, project: Path, *arguments: str, **variables: str) -> Done:
        """Run pytest as a user of ``project`` would."""
        # Ansible takes another Python that is installed, if none is named.
        python = {"ANSIBLE_PYTHON_INTERPRETER": str(self.python)}
        done = subprocess.run(
            [str(self.directory / "bin" / "pytest"), *arguments],
            cwd=project,
            env=self.variables() | python | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def built(directory: Path, *kinds: str) -> Path:
    """Build the distributions of this checkout as for a release, or only those of these kinds; return the directory."""
    only = [f"--{kind}" for kind in kinds]
    command = [sys.executable, "-m", "build", "--no-isolation", *only, "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@functools.cache
def place() -> Path:
    """A directory for what a whole run of tests shares; it is removed when the process ends."""
    directory = tempfile.mkdtemp(prefix="proving-ground-environments-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


@functools.cache
def wheel() -> Path:
    """The wheel of this checkout, built once in a run."""
    (found,) = built(place() / "wheel", "wheel").glob("*.whl")
    return found


def environment_for(readme: str) -> Environment:
    """Return an environment in which the wheel is installed as ``readme`` tells its readers."""
    return _with_extras(re.findall(r"pip install 'pytest-proving-ground\[([a-z,]+)\]'", readme)[0])


@functools.cache
def _with_extras(extras: str) -> Environment:
    return Environment.made(place() / extras, f"{wheel()}[{extras}]")


@functools.cache
def molecule() -> Environment:
    """Return an environment with Molecule and its docker driver, and with the Ansible that runs here."""
    ansible = f"ansible-core=={version('ansible-core')}"
    return Environment.made(place() / "molecule", "molecule", "molecule-plugins", "docker", "ansible", ansible)


def uv(*arguments: str) -> str:
    """Run uv, which is installed beside this Python; returns what it printed."""
    program = str(Path(sys.executable).with_name("uv"))
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(project: Path, **files: str) -> None:
    """Write files into a new directory; ``__`` in a name stands for its dot."""
    project.mkdir()
    for name, text in files.items():
        (project / name.replace("__", ".")).write_text(text, encoding="utf-8")
