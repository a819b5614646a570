"""What a reader copies from a document is right: settings, topologies, tests, commands with their options."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from proving_ground.cli.main import parser
from proving_ground.core.profiles import chosen
from proving_ground.core.project import read_project
from proving_ground.core.topology import parse

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = [
    ROOT / "README.md",
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
PLAYBOOKS = ("playbook", "prepare", "verify", "cleanup")
TOPOLOGY_KEYS = ("networks", "variables", "group_variables")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The blocks of code of a document: their language and content."""
    for found in re.finditer(r"^( *)```([\w{}-]*)[^\n]*\n(.*?)^\1```$", text, flags=re.DOTALL | re.MULTILINE):
        yield found[2], re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE)


def blocks_in(*languages: str) -> list[Any]:
    """All blocks in these languages, one parameter of a test each, which names file and number."""
    return [
        pytest.param(content, id=f"{name}-{number}")
        for name, path in zip(NAMES, DOCUMENTS, strict=True)
        for number, (language, content) in enumerate(blocks(path.read_text(encoding="utf-8")), start=1)
        if language in languages
    ]


def accept_settings(content: str, root: Path) -> None:
    """Read the table of a project as a run does, with each of its profiles, and its machines; raise what is wrong.

    Raises:
        UsageError: a key or a value is wrong.
    """
    said = tomllib.loads(content)["tool"]["proving-ground"]
    profiles = ["", *said.get("profiles", {})]
    for profile in profiles:
        for playbook in (chosen(said, profile).get(key) for key in PLAYBOOKS):
            if playbook is not None:
                (root / playbook).parent.mkdir(parents=True, exist_ok=True)
                (root / playbook).touch()
    (root / "pyproject.toml").write_text(content, encoding="utf-8")
    for profile in profiles:
        project = read_project(root, profile)
        common = {key: dict(getattr(project, key)) for key in TOPOLOGY_KEYS}
        machines = dict(project.machines) or {"machine": {}}
        parse("pyproject.toml", {"machines": machines}, common=common, images=project.images)


@pytest.mark.parametrize("content", blocks_in("toml"))
def test_a_table_of_settings_is_one_that_a_run_accepts(content: str, tmp_path: Path) -> None:
    said = tomllib.loads(content)
    assert "proving-ground" in said["tool"] or "pytest" in said["tool"], "nothing else is to be set"
    if "proving-ground" in said["tool"]:
        accept_settings(content, tmp_path)


@pytest.mark.parametrize("content", blocks_in("yaml"))
def test_yaml_is_yaml_and_a_topology_is_one_that_a_run_accepts(content: str) -> None:
    said = yaml.safe_load(content)
    assert said, "it says something"
    if "machines" in said:
        parse("topology", said)


@pytest.mark.parametrize("content", blocks_in("python"))
def test_python_is_python(content: str) -> None:
    assert ast.parse(content).body


def commands_of(text: str) -> set[str]:
    """The command lines of a document that call this project's programs, in blocks and within sentences."""
    lines = [line for language, content in blocks(text) if language in PROMPTS for line in content.splitlines()]
    without_blocks = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.DOTALL | re.MULTILINE)
    inline = [" ".join(each.split()) for each in re.findall(r"(?<!`)`([^`]+)`", without_blocks)]
    found = [COMMAND.match(line.strip().replace("\\|", "|")) for line in [*lines, *inline]]
    return {each[1].strip() for each in found if each is not None}


PROMPTS = ("", "console", "yaml", "sh", "shell", "bash")
"""Languages of blocks that contain command lines; CI's files do."""

COMMAND = re.compile(r"^(?:\$ |- run: |- |run: )?(?:[A-Z_]+=\S* )*((?:pytest|proving-ground)(?: [^#]*)?)(?: #.*)?$")


@pytest.fixture(scope="module")
def options_of_pytest() -> set[str]:
    """Options that pytest has with this plugin, xdist and testinfra, as its help says."""
    command = [sys.executable, "-m", "pytest", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", done.stdout))


@pytest.mark.parametrize(
    "command", sorted({line for path in DOCUMENTS for line in commands_of(path.read_text(encoding="utf-8"))})
)
def test_a_command_line_has_only_options_that_there_are(command: str, options_of_pytest: set[str]) -> None:
    program, *words = shlex.split(command)
    if program == "pytest":
        said = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert said <= options_of_pytest
    elif words and not {"COMMAND", "…"} & set(words):
        parser().parse_args(words)  # ends the process, which is a failure, for one that there is not


def test_wrong_settings_commands_and_options_are_found(tmp_path: Path, options_of_pytest: set[str]) -> None:
    with pytest.raises(Exception, match="imag"):
        accept_settings('[tool.proving-ground]\nimag = "debian:12"', tmp_path)
    with pytest.raises(Exception, match="coun"):
        accept_settings("[tool.proving-ground.profiles.big.machines.web]\ncoun = 2", tmp_path)
    text = "`proving-ground vanish`, and\n\n```\n$ pytest --pg-vanish  # no option\n```\n\n```python\npytest = 1\n```\n"
    assert commands_of(text) == {"proving-ground vanish", "pytest --pg-vanish"}
    with pytest.raises(SystemExit):
        parser().parse_args(["vanish"])
    assert {"--pg-keep", "-k", "-n", "--pdb"} <= options_of_pytest
    assert "--pg-vanish" not in options_of_pytest


def test_every_example_has_a_page_on_the_site() -> None:
    examples = {path.parent.name for path in (ROOT / "examples").glob("*/README.md")}
    assert len(examples) > 5
    pages = {path.stem for path in (DOCS / "examples").glob("*.md")} - {"index"}
    assert pages == examples
