"""Ansible finds what is ours first, and everything that it finds without us."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proving_ground.ansible.runner import check_syntax, environment
from proving_ground.ansible.search_paths import COLLECTIONS, ROLES, effective, joined, search_paths
from proving_ground.core.errors import ConvergeError
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL

OURS = (Path("/ours"),)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ANSIBLE_ROLES_PATH", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CONNECTION_PLUGINS", "ANSIBLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_unless_told_otherwise_the_usual_directories_follow(tmp_path: Path) -> None:
    assert joined(ROLES, OURS, tmp_path / "none.cfg", {}) == {"ANSIBLE_ROLES_PATH": f"/ours:{ROLES.usual}"}


def test_the_configurations_directories_follow_relative_to_it(tmp_path: Path) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\nroles_path = roles:../shared:/abs\ncollections_paths = vendor\n", encoding="utf-8")
    assert joined(ROLES, OURS, config, {})["ANSIBLE_ROLES_PATH"] == f"/ours:{tmp_path}/roles:{tmp_path}/../shared:/abs"
    assert joined(COLLECTIONS, OURS, config, {})["ANSIBLE_COLLECTIONS_PATH"] == f"/ours:{tmp_path}/vendor"


def test_the_environment_goes_before_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\nroles_path = roles\n", encoding="utf-8")
    environment = {"ANSIBLE_ROLES_PATH": "/theirs"}
    found = joined(ROLES, OURS, config, environment, after=(Path("/last"),))
    assert found["ANSIBLE_ROLES_PATH"] == "/ours:/theirs:/last"


def test_without_a_configuration_of_the_project_the_users_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "home" / ".ansible.cfg"
    users.parent.mkdir()
    users.touch()
    assert effective(tmp_path / "ansible.cfg") == users
    (tmp_path / "other.cfg").touch()
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "other.cfg"))
    assert effective(tmp_path / "ansible.cfg") == tmp_path / "other.cfg"
    (tmp_path / "ansible.cfg").touch()
    assert effective(tmp_path / "ansible.cfg") == tmp_path / "ansible.cfg"


def test_a_project_that_needs_none_of_ours_gets_no_variable(tmp_path: Path) -> None:
    assert search_paths(Settings(tmp_path, "run"), tmp_path / "ansible.cfg") == {}


def test_the_projects_own_variables_go_before_those_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", "/process")
    variables = (("ANSIBLE_ROLES_PATH", "{root}/vendor"), ("STATE", "{state}/x"), ("PLAIN", "{item}"))
    project = Project(playbook_environment=variables)
    found = environment(Settings(tmp_path, "run", project=project), USUAL)
    assert found["STATE"] == f"{tmp_path}/.proving-ground/x"
    assert found["PLAIN"] == "{item}"
    assert found["ANSIBLE_ROLES_PATH"] == f"{tmp_path}/vendor"
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "main.yml").touch()
    found = environment(Settings(tmp_path, "run", project=project), USUAL)
    assert found["ANSIBLE_ROLES_PATH"] == f"{tmp_path}/.proving-ground/roles:{tmp_path}/vendor:{tmp_path.parent}"


def role(root: Path) -> Settings:
    """A role whose playbook lies where Molecule's do."""
    for name, text in {
        "tasks/main.yml": "[]",
        "meta/main.yml": "galaxy_info: {namespace: acme, role_name: web}\ndependencies: []",
        "molecule/default/converge.yml": "- {hosts: all, roles: [ansible-role-web, web, acme.web, sibling]}",
        "../sibling/tasks/main.yml": "[]",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n", encoding="utf-8")
    (root / "inventory.yml").write_text("all: {hosts: {web-01: {}}}\n", encoding="utf-8")
    return Settings(root, "run", project=Project(playbook="molecule/default/converge.yml"))


def test_ansible_finds_a_role_by_all_its_names_and_its_siblings(tmp_path: Path) -> None:
    settings = role(tmp_path / "ansible-role-web")
    check_syntax(settings, settings.root / "inventory.yml", USUAL)


def test_ansible_finds_no_role_of_another_name(tmp_path: Path) -> None:
    settings = role(tmp_path / "ansible-role-web")
    (settings.root / settings.playbook).write_text("- {hosts: all, roles: [acme.nginx]}\n", encoding="utf-8")
    with pytest.raises(ConvergeError, match=r"acme\.nginx"):
        check_syntax(settings, settings.root / "inventory.yml", USUAL)


def test_ansible_finds_the_roles_of_a_collection(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    settings = role(root)
    (root / "galaxy.yml").write_text("namespace: acme\nname: tools\n", encoding="utf-8")
    (root / "roles" / "web" / "tasks").mkdir(parents=True)
    (root / "roles" / "web" / "tasks" / "main.yml").write_text("[]\n", encoding="utf-8")
    (root / settings.playbook).write_text("- {hosts: all, roles: [acme.tools.web]}\n", encoding="utf-8")
    assert os.environ.get("ANSIBLE_COLLECTIONS_PATH") is None
    check_syntax(settings, root / "inventory.yml", USUAL)
