"""Follow the tutorial as a reader would; ``python -m examples.tutorial`` puts what its commands print on its page.

A block of code whose first line is a comment with a path is that file; each ``$`` line of a block ``console`` is a
command, and the lines below it are what it has printed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "tutorial" / "first-role.md"
NAME = "motd"
"""The project's directory, which is the role's name."""

WIDTH = "88"
"""Columns of a terminal that fits the page."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+/\S+\.\w+)\n")

LEFT_OUT = re.compile(
    r"platform |cachedir:|rootdir:|configfile:|plugins:|-+ generated xml"
    r"|\[ *[\d.]+ s\] (network .* is in use|pull |\w[\w ]*: )"
)
"""Beginnings of lines that describe the host and its speed, not the run."""

MODULES = {"pytest": "pytest", "proving-ground": "proving_ground.cli"}

ALIKE = (
    (r"collected \d+ items", "collected N items"),
    (r"\d+\.\d+ ?s\b", "N s"),
    (r"\(\d+:\d\d:\d\d\)", ""),
    (r"artifacts/\d{8}T[\w-]+", "artifacts/RUN"),
    (r"\b10\.\d+\.\d+\.", "NETWORK."),
    (r"proving-ground-[0-9a-f]{6,}", "proving-ground-PROJECT"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*", "TIME"),
    (r"={3,}|-{3,}|_{3,}", "="),
    (r"[ \t]+", " "),
)
"""What differs from run to run, and what stands for it where outputs are compared."""

Run = Callable[[str, list[str], Path], str]
"""Runs a module of Python's with arguments in a directory; returns all that it prints."""


def as_shown(output: str, project: Path) -> str:
    """The output as the page has it: without what describes the host, and with the project in the reader's home."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", output).replace(str(project), f"/home/you/{NAME}")
    lines = [line.rstrip() for line in text.splitlines() if LEFT_OUT.match(line) is None]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def alike(text: str) -> list[str]:
    """The lines of an output with the same word for what differs from run to run."""
    for pattern, word in ALIKE:
        text = re.sub(pattern, word, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def followed(page: str, project: Path, run: Run) -> str:
    """Do what the page says, in an empty directory; return the page with what its commands have printed now."""

    def step(block: re.Match[str]) -> str:
        language, content = block[1], block[2]
        if language != "console":
            if (named := FILE.match(content)) is not None:
                path = project / named[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            return block[0]
        shown = []
        for command in re.findall(r"^\$ (.*)$", content, flags=re.MULTILINE):
            program, *words = shlex.split(command)
            shown.append(f"$ {command}\n{as_shown(run(MODULES[program], words, project), project)}")
        return f"```console\n{''.join(shown)}```"

    return BLOCK.sub(step, page)


def here(module: str, words: list[str], project: Path) -> str:
    """Run with this process's Python, and with nothing that was asked of this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG_") and name != "CI"}
    return output_of([sys.executable, "-m", module, *words], project, kept)


def output_of(command: list[str], project: Path, variables: Mapping[str, str]) -> str:
    """Run a command in the project; return all that it prints, in lines as wide as the page."""
    return subprocess.run(
        command,
        cwd=project,
        env={**variables, "COLUMNS": WIDTH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,  # some of the tutorial's commands are there to fail
    ).stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / NAME
        directory.mkdir()
        try:
            PAGE.write_text(followed(PAGE.read_text(encoding="utf-8"), directory, here), encoding="utf-8")
        finally:
            here("proving_ground.cli", ["destroy"], directory)
