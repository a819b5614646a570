"""A profile's keys replace those of the table; what is wrong in one has its line and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.project import Project, read_project
from proving_ground.core.settings import Settings

TEXT = """\
[tool.proving-ground]
image = "debian:12"
variables = {port = 80}
machines.web = {}

[tool.proving-ground.profiles.cluster]
variables = {size = 3}
machines.db = {count = 3}

[tool.proving-ground.profiles.plain]
machines = {}
image = ""
steps = false
"""


def read(root: Path, profile: str = "", text: str = TEXT) -> Project:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return read_project(root, profile)


def test_without_a_profile_the_table_is_as_it_is(tmp_path: Path) -> None:
    project = read(tmp_path)
    assert project.machines == (("web", {}),)
    assert [name for name, _ in project.profiles] == ["cluster", "plain"]


def test_a_profiles_keys_replace_the_tables_and_the_others_stay(tmp_path: Path) -> None:
    project = read(tmp_path, "cluster")
    assert project.machines == (("db", {"count": 3}),)
    assert (project.image, project.variables) == ("debian:12", (("size", 3),))


def test_an_empty_value_takes_a_key_away(tmp_path: Path) -> None:
    project = read(tmp_path, "plain")
    assert (project.machines, project.image, project.steps) == ((), "", False)


def test_an_unknown_profile_is_corrected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--pg-profile: unknown profile 'clustre' — did you mean cluster\?"):
        read(tmp_path, "clustre")
    with pytest.raises(UsageError, match=r"write a table \[tool\.proving-ground\.profiles\.x\]"):
        read(tmp_path, "x", "[tool.proving-ground]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("machines.web = {cuont = 2}", r":3: profiles\.p\.machines\.web\.cuont: unknown key — did you mean count\?"),
        ("imgae = 'debian:12'", r":3: profiles\.p\.imgae: unknown key — did you mean image\?"),
        ("profiles.q = {}", r":3: profiles\.p\.profiles: a profile has no profiles"),
    ],
)
def test_what_is_wrong_in_a_profile_is_refused_whichever_is_chosen(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"pyproject\.toml{message}"):
        read(tmp_path, text=f"[tool.proving-ground]\n[tool.proving-ground.profiles.p]\n{text}\n")


def test_what_a_profile_asks_for_and_cannot_be_has_the_line_in_the_profile(tmp_path: Path) -> None:
    text = TEXT.replace("count = 3", "count = 3, octet = 253")
    settings = Settings(
        tmp_path, "run", profile="cluster", provider="container", project=read(tmp_path, "cluster", text)
    )
    with pytest.raises(UsageError, match=r"pyproject\.toml:8: machines\.db: octet 253 leaves"):
        plan_of(settings)


def test_a_playbook_of_a_profile_has_to_be_there(tmp_path: Path) -> None:
    text = "[tool.proving-ground]\n[tool.proving-ground.profiles.p]\nplaybook = 'other.yml'\n"
    assert read(tmp_path, text=text).playbook == "site.yml"
    with pytest.raises(UsageError, match=r"pyproject\.toml:3: playbook: there is no playbook other\.yml"):
        read(tmp_path, "p", text)
