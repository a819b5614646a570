"""Roles as an Ansible maintainer expects them: what each has to have, and how one may use another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.documents import read_yaml

ROOT = Path(__file__).parents[2]
ROLES = {str(path.parent.relative_to(ROOT / "roles")): path.parent for path in sorted(ROOT.glob("roles/*/*/meta"))}

every_role = pytest.mark.parametrize("role", ROLES)


def read(path: Path) -> Any:
    return read_yaml(path.read_text(encoding="utf-8"))


def texts(role: str) -> Iterator[tuple[Path, str]]:
    for path in sorted(ROLES[role].rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path, path.read_text(encoding="utf-8")


def used_with_tasks_from(content: Any) -> Iterator[tuple[str, str]]:
    """Role and entry point, however deep in blocks."""
    if isinstance(content, list):
        for each in content:
            yield from used_with_tasks_from(each)
    elif isinstance(content, dict):
        if "tasks_from" in content:
            yield content["name"], content["tasks_from"]
        for each in content.values():
            yield from used_with_tasks_from(each)


def entry_points() -> set[tuple[str, str]]:
    files = [ROOT / "kubernetes.yml", *ROOT.glob("roles/*/*/tasks/*.yml"), *ROOT.glob("roles/*/*/handlers/*.yml")]
    named = {pair for path in files for pair in used_with_tasks_from(read(path))}
    return named | {(role, "main") for role, path in ROLES.items() if (path / "tasks" / "main.yml").exists()}


def test_every_folder_of_roles_is_a_role() -> None:
    assert {str(path.relative_to(ROOT / "roles")) for path in ROOT.glob("roles/*/*")} == set(ROLES)


@every_role
def test_role_says_who_made_it_and_where_it_runs(role: str) -> None:
    info = read(ROLES[role] / "meta" / "main.yml")["galaxy_info"]
    assert {"author", "description", "license", "min_ansible_version", "platforms"} <= info.keys()


@pytest.mark.parametrize(("role", "entry"), sorted(entry_points()))
def test_entry_point_has_an_argument_specification(role: str, entry: str) -> None:
    assert entry in read(ROLES[role] / "meta" / "argument_specs.yml")["argument_specs"]


@every_role
def test_role_reaches_into_no_other_by_a_path(role: str) -> None:
    links = [path for path in ROLES[role].rglob("*") if path.is_symlink()]
    assert links == []
    paths = [path for path, text in texts(role) if "../" in text or "role_path" in text]
    assert paths == []


@every_role
def test_role_depends_on_whose_settings_it_reads(role: str) -> None:
    """A default of ``cluster_…`` belongs to configure/cluster: without the dependency it is there only by chance."""
    shared = read(ROLES["configure/cluster"] / "defaults" / "main.yml")
    reads = {name for name in shared for path, text in texts(role) if name in text}
    depends = {each["role"] for each in read(ROLES[role] / "meta" / "main.yml")["dependencies"]}
    assert role == "configure/cluster" or not reads or "configure/cluster" in depends


@every_role
def test_defaults_are_prefixed_by_the_roles_name(role: str) -> None:
    prefix = role.rpartition("/")[2].replace("-", "_") + "_"
    defaults = ROLES[role] / "defaults" / "main.yml"
    names = read(defaults) if defaults.exists() else {}
    assert [name for name in names if not name.startswith(prefix)] == []


@every_role
def test_every_default_is_in_an_argument_specification(role: str) -> None:
    defaults = ROLES[role] / "defaults" / "main.yml"
    specifications = read(ROLES[role] / "meta" / "argument_specs.yml")["argument_specs"].values()
    known = {name for specification in specifications for name in specification.get("options", {})}
    assert set(read(defaults) if defaults.exists() else {}) - known == set()


@every_role
def test_main_only_imports(role: str) -> None:
    main = ROLES[role] / "tasks" / "main.yml"
    tasks = read(main) if main.exists() else []
    assert [task["name"] for task in tasks if task.keys() - {"name", "tags"} != {"ansible.builtin.import_tasks"}] == []


@every_role
def test_every_command_says_when_it_changed_something(role: str) -> None:
    def silent(content: Any) -> Iterator[str]:
        if isinstance(content, list):
            for each in content:
                yield from silent(each)
        elif isinstance(content, dict):
            modules = {str(key).rpartition(".")[2] for key in content}
            if modules & {"command", "shell", "script", "raw"} and "changed_when" not in content:
                yield str(content.get("name"))
            for key in ("block", "rescue", "always"):
                yield from silent(content.get(key))

    files = [path for folder in ("tasks", "handlers") for path in (ROLES[role] / folder).glob("*.yml")]
    assert [name for path in files for name in silent(read(path))] == []
