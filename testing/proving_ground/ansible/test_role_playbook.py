"""A project that is a role needs no playbook; one that has a playbook gets no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proving_ground.ansible.playbook import plays_of, roles_of
from proving_ground.ansible.role_playbook import ensure_playbook
from proving_ground.core.settings import Settings


@pytest.fixture
def role(tmp_path: Path) -> Settings:
    root = tmp_path / "my-role"
    (root / "tasks").mkdir(parents=True)
    (root / "tasks" / "main.yml").write_text("[]\n", encoding="utf-8")
    return Settings(root, "run")


def test_a_role_is_applied_to_every_machine(role: Settings) -> None:
    ensure_playbook(role)
    (play,) = plays_of(role.root / role.playbook)
    assert play["hosts"] == "nodes"
    assert list(roles_of(play)) == ["my-role"], "by the name that Ansible gives it, too"
    assert role.has_playbook


def test_a_path_with_quotes_and_spaces_is_one(tmp_path: Path) -> None:
    root = tmp_path / 'its "own": role\'s'
    (root / "tasks").mkdir(parents=True)
    (root / "tasks" / "main.yml").write_text("[]\n", encoding="utf-8")
    settings = Settings(root, "run")
    ensure_playbook(settings)
    (play,) = yaml.safe_load((root / settings.playbook).read_text(encoding="utf-8"))
    assert play["roles"] == [{"role": str(root)}]


@pytest.mark.parametrize("name", ["converge.yml", "site.yml"])
def test_a_playbook_of_the_project_counts_more(role: Settings, name: str) -> None:
    (role.root / name).write_text("- hosts: nodes\n", encoding="utf-8")
    ensure_playbook(role)
    assert role.playbook == name
    assert not role.state_directory.exists()


def test_a_project_that_is_no_role_has_none(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "run")
    ensure_playbook(settings)
    assert not settings.has_playbook
    assert list(tmp_path.iterdir()) == []
