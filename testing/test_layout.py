"""Where tests lie: the plugin's own mirror its rooms, this repository's lie beside them, the cluster's below tests/."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "src" / "proving_ground"
OWN = ROOT / "testing" / "proving_ground"


def rooms(root: Path, pattern: str) -> set[str]:
    """Directories below ``root`` with a file of this pattern that says something, relative to it."""
    files = (path for path in root.rglob(pattern) if path.name != "__init__.py")
    return {path.parent.relative_to(root).as_posix() for path in files}


def test_the_plugins_own_tests_mirror_its_rooms() -> None:
    # Beside the rooms lie tests of the package as a whole.
    assert rooms(OWN, "test_*.py") - {"."} == rooms(PLUGIN, "*.py")


def test_the_architecture_lists_the_rooms_in_the_order_in_which_they_may_import() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [each["layers"] for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    listed = re.findall(r"^\| `(\w+)/` \|", text.partition("## The rooms of the plugin")[2], re.MULTILINE)
    assert listed == layers[::-1]


def imports(file: Path) -> set[str]:
    """Top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module.partition(".")[0])
    return found


def test_the_plugins_own_tests_import_nothing_of_this_repository() -> None:
    imported = {file.relative_to(ROOT).as_posix(): imports(file) for file in OWN.rglob("*.py")}
    assert any("proving_ground" in found for found in imported.values())
    assert [file for file, found in imported.items() if found & {"fixtures", "tests"}] == []


@pytest.mark.parametrize(
    ("arguments", "places"),
    [((), {"tests", "testing"}), (("-m", "smoke"), {"tests"})],
)
def test_pytest_collects_without_being_told_what_to_ignore(arguments: tuple[str, ...], places: set[str]) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert {line.partition("/")[0] for line in result.stdout.splitlines() if "::" in line} == places
