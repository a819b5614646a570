"""A role is found by its directory's name and by those that it has on Galaxy; a collection by its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proving_ground.ansible.role_links import collection_name, ensure_links, role_names
from proving_ground.core.settings import Settings

META: dict[str, dict[str, Any]] = {
    "full": {"galaxy_info": {"namespace": "acme", "role_name": "nginx", "author": "jane"}},
    "author": {"galaxy_info": {"role_name": "nginx", "author": "jane"}},
    "sentence": {"galaxy_info": {"author": "Jane Doe <jane@example.org>"}},
    "empty": {},
}


@pytest.mark.parametrize(
    ("directory", "meta", "names"),
    [
        ("ansible-role-nginx", META["full"], ("ansible-role-nginx", "nginx", "acme.nginx", "jane.nginx")),
        ("nginx", META["author"], ("nginx", "jane.nginx")),
        ("ansible-nginx", META["sentence"], ("ansible-nginx", "nginx")),
        ("acme.nginx", META["empty"], ("acme.nginx", "nginx")),
        ("my role", META["empty"], ()),
        ("nginx", None, ("nginx",)),
        ("nginx", {"galaxy_info": None}, ("nginx",)),
    ],
)
def test_a_role_has_the_names_that_playbooks_use(directory: str, meta: Any, names: tuple[str, ...]) -> None:
    assert role_names(directory, meta) == names


@pytest.mark.parametrize(
    ("galaxy", "name"),
    [
        ({"namespace": "acme", "name": "web"}, ("acme", "web")),
        ({"namespace": "acme"}, None),
        ({"namespace": "../..", "name": "web"}, None),
        (None, None),
    ],
)
def test_a_collection_has_one_name(galaxy: Any, name: tuple[str, str] | None) -> None:
    assert collection_name(galaxy) == name


@pytest.fixture
def role(tmp_path: Path) -> Path:
    root = tmp_path / "ansible-role-nginx"
    (root / "tasks").mkdir(parents=True)
    (root / "tasks" / "main.yml").write_text("[]\n", encoding="utf-8")
    return root


def test_links_lead_to_the_role(role: Path) -> None:
    (role / "meta").mkdir()
    (role / "meta" / "main.yml").write_text("galaxy_info: {namespace: acme}\n", encoding="utf-8")
    roles, collections = ensure_links(Settings(role, "run"))
    assert collections is None
    assert roles == role / ".proving-ground" / "roles"
    assert {link.name for link in roles.iterdir()} == {"ansible-role-nginx", "nginx", "acme.nginx"}
    assert {link.resolve() for link in roles.iterdir()} == {role}


def test_a_link_of_a_project_that_was_moved_leads_to_its_new_place(role: Path) -> None:
    ensure_links(Settings(role, "run"))
    moved = role.rename(role.with_name("elsewhere"))
    roles, _ = ensure_links(Settings(moved, "run"))
    assert roles is not None
    assert (roles / "elsewhere").resolve() == moved
    assert (roles / "elsewhere" / "tasks" / "main.yml").is_file()


def test_a_collection_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "galaxy.yml").write_text("namespace: acme\nname: web\n", encoding="utf-8")
    roles, collections = ensure_links(Settings(tmp_path, "run"))
    assert roles is None
    assert collections is not None
    assert (collections / "ansible_collections" / "acme" / "web").resolve() == tmp_path


@pytest.mark.parametrize("text", ["a: [", "- a list\n"])
def test_a_broken_meta_leaves_the_directorys_name(role: Path, text: str) -> None:
    (role / "meta").mkdir()
    (role / "meta" / "main.yml").write_text(text, encoding="utf-8")
    roles, _ = ensure_links(Settings(role, "run"))
    assert roles is not None
    assert {link.name for link in roles.iterdir()} == {"ansible-role-nginx", "nginx"}


def test_another_project_gets_no_links(tmp_path: Path) -> None:
    assert ensure_links(Settings(tmp_path, "run")) == (None, None)
    assert list(tmp_path.iterdir()) == []
