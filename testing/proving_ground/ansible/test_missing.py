"""The hint for what a playbook names and Ansible does not find."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.missing import missing_hint


@pytest.fixture
def roles(tmp_path: Path) -> str:
    """Two directories of roles, as Ansible lists them; one does not exist."""
    for name in ("nginx", "postgres"):
        (tmp_path / "roles" / name / "tasks").mkdir(parents=True)
    (tmp_path / "roles" / "notes").mkdir()
    (tmp_path / "roles" / "README.md").touch()
    return f"{tmp_path}/roles:/nowhere"


def test_the_hint_names_the_nearest_role(roles: str) -> None:
    assert missing_hint(f"the role 'ngnix' was not found in {roles} [site.yml:2:11]") == "did you mean nginx?"


def test_the_hint_names_all_roles_if_none_is_near_and_no_other_directory(roles: str) -> None:
    assert missing_hint(f"the role 'x.y' was not found in {roles}") == "choose one of: nginx, postgres"


def test_the_hint_names_requirements_if_there_is_no_role_at_all() -> None:
    hint = missing_hint("the role 'geerlingguy.nginx' was not found in /nowhere")
    assert hint == "write it, or list it in requirements.yml"


def test_the_hint_names_the_collection_of_an_unknown_module() -> None:
    text = (
        "couldn't resolve module/action 'community.general.ufw'. This often indicates a misspelling, missing collection"
    )
    assert missing_hint(text) == "list the collection community.general in requirements.yml, or look for a misspelling"


@pytest.mark.parametrize(
    "text",
    ["couldn't resolve module/action 'cpoy'. This often indicates a misspelling", "conflicting action statements"],
)
def test_other_errors_speak_for_themselves(text: str) -> None:
    assert missing_hint(text) == ""
