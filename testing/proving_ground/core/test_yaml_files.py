"""YAML files are read and checked; errors name the file and the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proving_ground.core.errors import DepotError, UsageError
from proving_ground.core.yaml_files import read_checked, read_file

RULES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"count": {"type": "integer"}, "name": {"type": "string"}},
}


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(RULES))
    return path


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "a.yml"


def test_content_that_fits_is_returned(file: Path, schema: Path) -> None:
    file.write_text("count: 3\nname: a\n")
    assert read_file(file) == read_checked(file, schema) == {"count": 3, "name": "a"}


def test_errors_name_every_problem_with_its_line(file: Path, schema: Path) -> None:
    file.write_text("name: a\ncount: many\nnam: b\n")
    with pytest.raises(UsageError) as caught:
        read_checked(file, schema)
    assert str(caught.value).splitlines() == [
        'a.yml:2: count: is "many" — write a whole number',
        "a.yml:3: nam: unknown key — did you mean name?",
    ]


def test_text_that_is_not_yaml_is_refused_with_its_place(file: Path, schema: Path) -> None:
    file.write_text("name: [a\n")
    with pytest.raises(UsageError, match=r"^a\.yml: not YAML: .* \[line 2, column 1\]"):
        read_checked(file, schema)
    with pytest.raises(DepotError, match=r"^the recipe: not YAML: .* \[line 2, column 1\]"):
        read_file(file, "the recipe", DepotError)
