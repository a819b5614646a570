"""The table is added to a pyproject.toml, and nothing in it is lost."""

from __future__ import annotations

import tomllib

import pytest

from proving_ground.cli.migrate.write import extended
from proving_ground.core.errors import UsageError

TABLE = {"image": "debian:12", "machines": {"web": {"numbered": False}}, "variables": {"port": 80}}


def test_a_new_file_has_the_table_alone() -> None:
    text, kept = extended("", TABLE)
    assert text.splitlines() == [
        "[tool.proving-ground]",
        'image = "debian:12"',
        "",
        "[tool.proving-ground.machines.web]",
        "numbered = false",
        "",
        "[tool.proving-ground.variables]",
        "port = 80",
    ]
    assert kept == []


def test_a_file_keeps_its_content_and_its_comments() -> None:
    old = "# ours\n[tool.ruff]   # fast\nline-length = 100\n"
    text, _ = extended(old, TABLE)
    assert text.startswith(old)
    assert tomllib.loads(text)["tool"] == {"ruff": {"line-length": 100}, "proving-ground": TABLE}


def test_a_table_that_is_there_gets_the_missing_keys() -> None:
    old = '[tool.proving-ground]\nimage = "ubuntu:24.04"  # as in production\n\n[tool.ruff]\nline-length = 100\n'
    text, kept = extended(old, TABLE)
    assert kept == ["image"]
    assert 'image = "ubuntu:24.04"  # as in production\n' in text
    assert tomllib.loads(text)["tool"] == {
        "proving-ground": {**TABLE, "image": "ubuntu:24.04"},
        "ruff": {"line-length": 100},
    }


@pytest.mark.parametrize(("old", "error"), [("a = \n", "no TOML"), ("tool = {ruff = {}}\n", "cannot be extended")])
def test_a_file_that_cannot_be_extended_is_an_error(old: str, error: str) -> None:
    with pytest.raises(UsageError, match=rf"pyproject\.toml: .*{error}"):
        extended(old, TABLE)
