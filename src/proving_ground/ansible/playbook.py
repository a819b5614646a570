"""Read from a playbook, without running it, which roles it applies to which hosts, in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from proving_ground.ansible.events import role_name
from proving_ground.ansible.patterns import Patterns
from proving_ground.core.errors import ConvergeError
from proving_ground.core.topology import Topology
from proving_ground.core.yaml_files import read_file

IMPORTS = ("import_role", "include_role")
"""Names of the modules that use a role, without their collection."""

LOOKUP = re.compile(
    r"""\{\{\s*lookup\(\s*["'](?:ansible\.builtin\.)?env["']\s*,\s*["'](\w+)["']\s*\)\s*(\|\s*basename\s*)?\}\}"""
)
"""A role's name as Molecule's playbooks have it: ``{{ lookup('env', 'MOLECULE_PROJECT_DIRECTORY') | basename }}``."""


@dataclass(frozen=True)
class Step:
    """One role in one play: the names of the play, the role and the hosts that get it."""

    play: str
    role: str
    hosts: tuple[str, ...]


def steps(playbook: Path, topology: Topology, environment: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """Return the steps of a playbook in the order in which Ansible runs them.

    Args:
        playbook: its file.
        topology: has the hosts of the groups.
        environment: variables that are set while playbooks run; names of roles may look them up.

    Raises:
        ConvergeError: the file does not exist, is not a playbook, or has an invalid host pattern.
    """
    patterns = Patterns(topology)
    return tuple(
        Step(str(play.get("name", "")), role, hosts)
        for play in plays_of(playbook)
        for hosts in [patterns.hosts(play.get("hosts") or "")]
        for role in dict.fromkeys(looked_up(name, environment or {}) for name in roles_of(play))
    )


def looked_up(name: str, environment: Mapping[str, str]) -> str:
    """Return the name of a role; one that looks up a known variable of the environment has that name."""
    found = LOOKUP.fullmatch(name.strip())
    if found is None or found[1] not in environment:
        return name
    value = environment[found[1]]
    return PurePath(value).name if found[2] else value


def plays_of(playbook: Path) -> list[dict[str, Any]]:
    """Return the plays of a playbook as mappings.

    Raises:
        ConvergeError: the file does not exist, or is not a playbook.
    """
    try:
        plays = read_file(playbook, playbook.name, ConvergeError)
    except OSError as error:
        raise ConvergeError(f"cannot be read: {error.strerror}", where=playbook.name) from error
    if not isinstance(plays, list) or not all(isinstance(play, dict) for play in plays):
        raise ConvergeError("is no list of plays", where=playbook.name)
    return plays


def plays_on_hosts(playbook: Path, topology: Topology) -> tuple[tuple[str, str], ...]:
    """Return the name of each play with each of its hosts, also of imported playbooks, in order and each once.

    The host is empty for a play whose hosts only a run knows, or that matches none; a play without a name is called as
    Ansible calls it, by its pattern.

    Raises:
        ConvergeError: a file is not a playbook, or has an invalid host pattern.
    """
    patterns = Patterns(topology)
    found: dict[tuple[str, str], None] = {}
    for play in _every_play(playbook):
        pattern = play.get("hosts") or ""
        shown = pattern if isinstance(pattern, str) else ",".join(map(str, pattern))
        for host in patterns.hosts(pattern) or ("",):
            found[str(play.get("name") or shown), host] = None
    return tuple(found)


def is_for_nobody(playbook: Path, topology: Topology) -> bool:
    """Return whether certainly no play has a host: the controller is one, and a template may become one.

    Raises:
        ConvergeError: a file is not a playbook, or has an invalid host pattern.
    """
    patterns, plays = Patterns(topology), plays_of(playbook)
    for play in plays:
        imported, pattern = _imported(play), play.get("hosts") or ""
        if imported is None:
            if "{{" in str(pattern) or patterns.hosts(pattern):
                return False
        elif not (file := playbook.parent / imported).is_file() or not is_for_nobody(file, topology):
            return False
    return bool(plays)


def _every_play(playbook: Path) -> Iterator[dict[str, Any]]:
    """Yield the plays of a playbook and of those that it imports; Ansible reports an import that does not exist."""
    for play in plays_of(playbook):
        imported = _imported(play)
        if imported is None:
            yield play
        elif (file := playbook.parent / imported).is_file():
            yield from _every_play(file)


def _imported(play: dict[str, Any]) -> str | None:
    """Return the playbook that an entry imports; None for a play."""
    return next((str(play[key]) for key in play if str(key).rpartition(".")[2] == "import_playbook"), None)


def roles_of(play: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the roles that a play uses, in the order in which Ansible runs them; names may repeat."""
    for section in ("pre_tasks", "roles", "tasks", "post_tasks"):
        if section == "roles":
            for entry in play.get(section) or []:
                name = str((entry.get("role") or entry.get("name")) if isinstance(entry, dict) else entry)
                yield role_name(name)
        else:
            yield from used_in(play.get(section))


def used_in(tasks: Any) -> Iterator[str]:
    """Yield the names of the roles that tasks use, also in nested blocks; "" for a role task without a name."""
    if isinstance(tasks, list):
        for each in tasks:
            yield from used_in(each)
    elif isinstance(tasks, dict):
        for key, value in tasks.items():
            if str(key).rpartition(".")[2] in IMPORTS and isinstance(value, dict):
                yield str(value.get("name", ""))
            elif str(key).rpartition(".")[2] in IMPORTS and isinstance(value, str):
                yield next(iter(re.findall(r"(?:^|\s)name=(\S+)", value)), "")
            else:
                yield from used_in(value)


def pairs(plan: tuple[Step, ...]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of host and role, each once, in the order of the playbook; none of roles named by a template."""
    known = [step for step in plan if "{{" not in step.role]
    return tuple(dict.fromkeys((host, step.role) for step in known for host in step.hosts))


def unreached(plan: tuple[Step, ...], play: str, role: str) -> frozenset[str]:
    """Return the roles that a run did not apply to all their hosts, because it failed in ``role`` of ``play``.

    Args:
        plan: the playbook's steps.
        play: name of the play that failed.
        role: the role that failed in it, or empty for a task outside of roles.
    """
    for number, step in enumerate(plan):
        if step.play == play and role in {step.role, ""}:
            return frozenset(each.role for each in plan[number:])
    # The failed role is another role's dependency, or the play has no roles: no role counts as applied.
    return frozenset(step.role for step in plan)
