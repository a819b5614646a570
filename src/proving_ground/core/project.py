"""What a project says of itself: the table ``[tool.proving-ground]`` of its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from proving_ground.core.errors import UsageError

WHERE = "pyproject.toml [tool.proving-ground]"


@dataclass(frozen=True)
class Project:
    """A project's settings; every path is relative to its root directory.

    Attributes:
        playbook: what the machines are converged with.
        topologies: the directory of topology files.
        depot: the directory whose ``depot.yml`` says what is built for the machines.
        roles: the directory of the playbook's roles.
        ansible_config: Ansible's configuration file.
        user: whom the machines let in.
        python: path of Python on the machines.
        interface: the machines' interface in their own network.
        depot_path: where the machines find what the depot holds.
        artifacts: files of the state directory that a run's artifacts keep a copy of.
        environment: files of use to whoever looks at the machines, by the variable that names them; ``{state}`` and
            ``{view}`` in them are the state directory and the depot's view.
        phases: the playbook's phases in order: a name, and the name of the last play in it.
        written_once: paths below a machine's ``/var`` (patterns of the shell) whose files never change once written.
    """

    playbook: str = "site.yml"
    topologies: str = "topology"
    depot: str = "depot"
    roles: str = "roles"
    ansible_config: str = "ansible.cfg"
    user: str = "root"
    python: str = "/usr/bin/python3"
    interface: str = "eth1"
    depot_path: str = "/opt/depot"
    artifacts: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    phases: tuple[tuple[str, str], ...] = ()
    written_once: tuple[str, ...] = ()


def read_project(root: Path) -> Project:
    """Read the table; a project without one gets the defaults.

    Raises:
        UsageError: the file is no TOML, has an unknown key or a value of the wrong type, or names a playbook that is
            not there.
    """
    file = root / "pyproject.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"no TOML: {error}", where=str(file)) from error
    said = content.get("tool", {}).get("proving-ground", {})
    known = {field.name for field in fields(Project)}
    if unknown := sorted(set(said) - known):
        hint = f"choose one of: {', '.join(sorted(known))}"
        raise UsageError(f"unknown setting {', '.join(unknown)}", where=WHERE, hint=hint)
    project = Project(**{key: _value(key, value) for key, value in said.items()})
    if "playbook" in said and not (root / project.playbook).is_file():
        raise UsageError(f"there is no playbook {project.playbook}", where=WHERE)
    return project


def _table(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(each)) for name, each in value.items())


def _list(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value)


TABLES, LISTS = ("environment", "phases"), ("artifacts", "written_once")


def _value(key: str, value: Any) -> Any:
    kind: type = dict if key in TABLES else list if key in LISTS else str
    if not isinstance(value, kind):
        raise UsageError(f"{key} is {value!r}", where=WHERE, hint=f"write a {NAMES[kind]}")
    convert: Callable[[Any], Any] = _table if kind is dict else _list if kind is list else str
    return convert(value)


NAMES: dict[type, str] = {dict: "table of names and texts", list: "list of texts", str: "text"}
