"""Read a project's settings: the table ``[tool.proving-ground]`` of its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proving_ground.core import profiles
from proving_ground.core.errors import UsageError
from proving_ground.core.lines import toml_lines
from proving_ground.core.problems import Keys, Lines, Problem, refusal, shown
from proving_ground.core.schema import SCHEMAS, check

STEPS = ("prepare", "verify", "cleanup")
"""Settings with the playbook of a step: beside the playbook that converges, or relative to the root directory."""

TABLE = "tool.proving-ground"
FILE = "pyproject.toml"


@dataclass(frozen=True)
class Project:
    """A project's settings; every path is relative to its root directory.

    Attributes:
        image: the container image of the machines, or a Dockerfile, or a tar archive with a root file system; empty if
            Vagrant creates the machines.
        images: a matrix: each of these images has its own set of machines; empty for one set.
        init: process 1 of a container: ``systemd``, or ``none`` for a process that only waits; empty means systemd.
        privileged: whether containers run with ``--privileged``.
        engines: the engines of a Docker Swarm that share a run, a manager first, each a Docker host or the name of a
            context; empty for one engine.
        inventory: an inventory of hosts that exist, as a file, a script or a directory; empty if machines are created.
        converge: whether runs may converge the hosts of ``inventory``.
        machines: the machines, as under ``machines`` in a topology file; empty if a topology file lists them.
        networks: networks by name, as in a topology file.
        variables: Ansible variables of all hosts.
        group_variables: Ansible variables by group.
        profiles: names of profiles, each with the keys that replace those of the table.
        playbook: the playbook that converges the machines.
        prepare: the playbook that prepares new machines, beside ``playbook`` or relative to the root directory; it need
            not exist.
        verify: the playbook that verifies converged machines, where ``prepare`` is; it need not exist.
        cleanup: the playbook that runs before the machines are removed, where ``prepare`` is; it need not exist.
        check_mode: whether a converged machine also has to pass ``--check`` without a change.
        steps: whether syntax, converge and idempotence are tests that the plugin adds.
        topologies: the directory of topology files.
        depot: the directory of ``depot.yml``, which lists the components to build for the machines.
        faults: the directory of faults, which ``pytest -m fault`` puts in one after the other.
        release: name of the file in the depot's ``releases/`` that completes its recipe; empty for none.
        roles: the directory of the playbook's roles.
        ansible_config: Ansible's configuration file.
        user: the user who logs in to the machines.
        python: path of Python on the machines.
        interface: the machines' network interface in the network ``machines``.
        depot_path: the directory of the depot's files on the machines.
        artifacts: files of the state directory that a run copies to its artifacts.
        environment: environment variable → file, for tools that inspect the machines; ``{state}`` stands for the state
            directory, ``{view}`` for the depot's view.
        playbook_environment: environment variable → text, set while playbooks run; ``{root}`` stands for the project's
            directory, ``{state}`` for the state directory.
        phases: the playbook's phases in order: a name, and the name of the last play in it.
        written_once: paths below a machine's ``/var`` (patterns of the shell) whose files never change once written.
    """

    image: str = ""
    images: tuple[str, ...] = ()
    init: str = ""
    privileged: bool = False
    engines: tuple[str, ...] = ()
    inventory: str = ""
    converge: bool = False
    machines: tuple[tuple[str, Any], ...] = ()
    networks: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, Any], ...] = ()
    group_variables: tuple[tuple[str, Any], ...] = ()
    profiles: tuple[tuple[str, Any], ...] = ()
    playbook: str = "site.yml"
    prepare: str = "prepare.yml"
    verify: str = "verify.yml"
    cleanup: str = "cleanup.yml"
    check_mode: bool = False
    steps: bool = True
    topologies: str = "topology"
    depot: str = "depot"
    faults: str = "faults"
    release: str = ""
    roles: str = "roles"
    ansible_config: str = "ansible.cfg"
    user: str = "root"
    python: str = "/usr/bin/python3"
    interface: str = "eth1"
    depot_path: str = "/opt/depot"
    artifacts: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    playbook_environment: tuple[tuple[str, str], ...] = ()
    phases: tuple[tuple[str, str], ...] = ()
    written_once: tuple[str, ...] = ()


def read_project(root: Path, profile: str = "") -> Project:
    """Read the table; a project without the table gets the defaults.

    Args:
        root: the project's root directory.
        profile: the profile whose keys replace those of the table; empty for none.

    Raises:
        UsageError: the file is not TOML, has an unknown key or a value of the wrong type, names a playbook that does
            not exist, or has no such profile.
    """
    file = root / FILE
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"no TOML: {error}", where=shown(file)) from error
    said = content.get("tool", {}).get("proving-ground", {})
    problems = [*check(said, SCHEMAS / "project.json"), *profiles.problems_of(said)]
    if problems:
        raise refusal(UsageError, shown(file), problems, toml_lines(text, TABLE))
    chosen = profiles.chosen(said, profile)
    beside = (root / chosen.get("playbook", "site.yml")).parent
    for key in ("playbook", *STEPS):
        named, places = chosen.get(key), (root, *([beside] if key in STEPS else []))
        if named is not None and not any((place / named).is_file() for place in places):
            problem = Problem((key,), f"there is no playbook {named}", "name one that is there")
            raise refusal(UsageError, shown(file), [problem], profiles.lines_in(said, profile, toml_lines(text, TABLE)))
    return Project(**{key: _value(value) for key, value in chosen.items()})


def lines_of(root: Path, profile: str = "") -> Lines:
    """Return a function that finds the line of a setting; it reads the file, which only an error needs."""

    def line(keys: Keys) -> int | None:
        text = (root / FILE).read_text(encoding="utf-8")
        said = tomllib.loads(text)["tool"]["proving-ground"]
        return profiles.lines_in(said, profile, toml_lines(text, TABLE))(keys)

    return line


def _value(value: Any) -> Any:
    """Convert lists and tables to the immutable tuples that :class:`Project` holds."""
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value
