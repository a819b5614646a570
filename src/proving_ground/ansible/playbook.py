"""Read from a playbook, without running it, which role goes to which host, and in which order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from proving_ground.ansible.events import role_name
from proving_ground.ansible.patterns import Patterns
from proving_ground.core.documents import read_yaml
from proving_ground.core.errors import ConvergeError, not_yaml
from proving_ground.core.topology import Topology

IMPORTS = ("import_role", "include_role")
"""Names of the tasks by which a role is used, without their collection."""


@dataclass(frozen=True)
class Step:
    """One role in one play: the play's name, the role's, and the names of the hosts it is applied to."""

    play: str
    role: str
    hosts: tuple[str, ...]


def steps(playbook: Path, topology: Topology) -> tuple[Step, ...]:
    """The steps of a playbook, in the order in which Ansible takes them.

    Args:
        playbook: its file.
        topology: tells which hosts its groups have.

    Raises:
        ConvergeError: the file is not there, or no playbook, or has a pattern of hosts that is none.
    """
    patterns = Patterns(topology)
    return tuple(
        Step(str(play.get("name", "")), role, hosts)
        for play in plays_of(playbook)
        for hosts in [patterns.hosts(play.get("hosts") or "")]
        for role in dict.fromkeys(roles_of(play))
    )


def plays_of(playbook: Path) -> list[dict[str, Any]]:
    """The plays of a playbook as YAML tells them.

    Raises:
        ConvergeError: the file is not there, or no playbook.
    """
    try:
        plays = read_yaml(playbook.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConvergeError(f"cannot be read: {error.strerror}", where=playbook.name) from error
    except yaml.YAMLError as error:
        raise ConvergeError(not_yaml(error), where=playbook.name) from error
    if not isinstance(plays, list) or not all(isinstance(play, dict) for play in plays):
        raise ConvergeError("is no list of plays", where=playbook.name)
    return plays


def roles_of(play: dict[str, Any]) -> Iterator[str]:
    """Names of the roles that a play uses, in the order in which Ansible takes them; a name may come again."""
    for section in ("pre_tasks", "roles", "tasks", "post_tasks"):
        if section == "roles":
            for entry in play.get(section) or []:
                name = str((entry.get("role") or entry.get("name")) if isinstance(entry, dict) else entry)
                yield role_name(name)
        else:
            yield from used_in(play.get(section))


def used_in(tasks: Any) -> Iterator[str]:
    """Names of the roles that tasks use, however deep in blocks; empty where a task names none."""
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
    """Host and role, each pair once, in the order of the playbook."""
    return tuple(dict.fromkeys((host, step.role) for step in plan for host in step.hosts))


def unreached(plan: tuple[Step, ...], play: str, role: str) -> frozenset[str]:
    """Roles that have not been applied to all their hosts when a run has failed in ``role`` of ``play``.

    Args:
        plan: the playbook.
        play: name of the play that failed.
        role: the role that failed in it, or empty for a task of the play's own.
    """
    for number, step in enumerate(plan):
        if step.play == play and role in {step.role, ""}:
            return frozenset(each.role for each in plan[number:])
    # A role by way of another one's dependencies, or a play that has no role: at least that play's, and what follows.
    return frozenset(step.role for step in plan)
