"""The command ``proving-ground init``: write the files of the smallest project, and change none that is there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.table import is_asked_for

IMAGE = "debian:12"

TABLE = """\
[tool.proving-ground]
image = "{image}"
"""

TASKS = """\
---
- name: Write the message of the day
  ansible.builtin.copy:
    content: "test first\\n"
    dest: /etc/motd
    mode: "0644"
"""

TEST_OF_TASKS = """\
def test_the_message_of_the_day_is_there(host):
    assert host.file("/etc/motd").content_string == "test first\\n"
"""

TEST = """\
def test_the_machine_answers(host):
    assert host.check_output("hostname") == "machine-01"
"""

PLAYBOOKS = ("site.yml", "converge.yml")


def run(options: argparse.Namespace, root: Path) -> int:
    """Write the files into ``root`` and print their names; return the exit code.

    Raises:
        UsageError: the project has a table ``[tool.proving-ground]`` already.
    """
    if is_asked_for(root):
        hint = "run `pytest`, or edit the table"
        raise UsageError("there is a table [tool.proving-ground] already", where="pyproject.toml", hint=hint)
    for name, text in files(root, options.image).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        grows = path.exists()
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}" if grows else text)
        sys.stdout.write(f"{'extended' if grows else 'wrote'} {name}\n")
    sys.stdout.write("now run: pytest\n")
    return 0


def files(root: Path, image: str) -> dict[str, str]:
    """The files to write: name → text; to ``pyproject.toml`` the text is added."""
    found = {"pyproject.toml": TABLE.format(image=image)}
    has_content = (root / "tasks" / "main.yml").exists() or any((root / name).exists() for name in PLAYBOOKS)
    if not has_content:
        found["tasks/main.yml"] = TASKS
    if not any((root / "tests").glob("test_*.py")):
        found["tests/test_role.py"] = TEST if has_content else TEST_OF_TASKS
    return found


def add_parser(words: Any) -> None:
    """Add the command to the program's."""
    text = "Write the files of the smallest project: a table in pyproject.toml, a test, and a role if there is none"
    parser = words.add_parser("init", help=text, description=text)
    parser.add_argument("--image", default=IMAGE, help=f"the container image of the machines (default {IMAGE})")
