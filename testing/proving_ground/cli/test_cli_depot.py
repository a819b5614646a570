"""`proving-ground depot` uses the release that the project, or its profile, has chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.cli.main import main

PROJECT = """
[tool.proving-ground]
release = "2"
profiles.old.release = "1"
profiles.wrong.release = "11"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = tmp_path / "depot" / "releases"
    releases.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "depot" / "depot.yml").write_text("thing: {build: go, programs: {thing: .}}")
    for release in ("1", "2"):
        (releases / f"{release}.yml").write_text(f'thing: {{version: "{release}.0"}}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PG_PROFILE", raising=False)


def test_the_depot_lists_the_versions_of_the_release_that_the_project_chose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depot", "list"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["thing", "2.0"]


@pytest.mark.parametrize("by_option", [True, False])
def test_the_depot_lists_the_versions_of_a_profile(
    by_option: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_option:
        monkeypatch.setenv("PG_PROFILE", "old")
    assert main(["depot", *(["--profile", "old"] if by_option else []), "list"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["thing", "1.0"]


def test_a_release_that_the_depot_does_not_have_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depot", "--profile", "wrong", "list"]) == 13
    assert capsys.readouterr().err == "error: depot/releases/: there is no release 11 — did you mean 1?\n"
