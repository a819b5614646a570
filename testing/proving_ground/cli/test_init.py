"""``proving-ground init`` writes the smallest project, says what it wrote, and changes no file that is there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from proving_ground.cli.main import main
from proving_ground.core.settings import Settings


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_an_empty_directory_becomes_a_role_with_a_test(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert written(root) == ["pyproject.toml", "tasks/main.yml", "tests/test_role.py"]
    assert capsys.readouterr().out.splitlines() == [
        "wrote pyproject.toml",
        "wrote tasks/main.yml",
        "wrote tests/test_role.py",
        "now run: pytest",
    ]
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert table == {"tool": {"proving-ground": {"image": "debian:12"}}}
    assert Settings(root, "run").is_role


def test_a_role_keeps_its_tasks_and_its_tests(root: Path) -> None:
    for name, text in {"tasks/main.yml": "[]\n", "tests/test_own.py": "own = 1\n"}.items():
        (root / name).parent.mkdir()
        (root / name).write_text(text, encoding="utf-8")
    assert main(["init", "--image", "ubuntu:24.04"]) == 0
    assert written(root) == ["pyproject.toml", "tasks/main.yml", "tests/test_own.py"]
    assert (root / "tasks" / "main.yml").read_text(encoding="utf-8") == "[]\n"
    assert 'image = "ubuntu:24.04"' in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_a_table_is_added_to_a_file_that_has_others(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n", encoding="utf-8")
    assert main(["init"]) == 0
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert table == {"ruff": {"line-length": 100}, "proving-ground": {"image": "debian:12"}}
    assert "extended pyproject.toml" in capsys.readouterr().out


def test_a_project_that_has_the_table_is_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text("[tool.proving-ground]\n", encoding="utf-8")
    assert main(["init"]) == 11
    assert written(root) == ["pyproject.toml"]
    assert "pyproject.toml: there is a table [tool.proving-ground] already — run `pytest`" in capsys.readouterr().err
