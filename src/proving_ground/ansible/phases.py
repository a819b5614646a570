"""Split a playbook into phases, and hash the content that each phase depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from proving_ground.ansible.playbook import plays_of, roles_of
from proving_ground.ansible.role_graph import reached
from proving_ground.core.errors import UsageError
from proving_ground.core.project import Project
from proving_ground.core.settings import STATE

CREATED = "created"
"""The phase before any play: new machines."""

CONVERGED = "converged"
"""The name of the last phase if the project does not name it."""

ALWAYS = (
    *("plugins", "group_vars", "host_vars", "vars", "library", "module_utils"),
    *("action_plugins", "filter_plugins", "lookup_plugins", "test_plugins", "vars_plugins"),
    *("tasks", "handlers", "files", "templates", "defaults", "meta"),
)
"""Directories beside a playbook, or of a project that is a role: every phase depends on their files."""


@dataclass(frozen=True)
class Phase:
    """A point in a converge: its name, and the number of plays that have run before it."""

    name: str
    plays: int


def phases(playbook: Path, names: Iterable[tuple[str, str]]) -> tuple[Phase, ...]:
    """Return the phases of a playbook in order; the first is :data:`CREATED`.

    Args:
        playbook: its file.
        names: each phase's name and the name of its last play, in order.

    Raises:
        ConvergeError: the playbook cannot be read.
        UsageError: the playbook has no such play, or has the plays in another order.
    """
    plays = [str(play.get("name", "")) for play in plays_of(playbook)]
    found = [Phase(CREATED, 0)]
    for name, last in names:
        where = f"phase {name!r}"
        if name == CREATED:
            raise UsageError(f"{CREATED!r} is the phase before any play", where=where)
        if last not in plays:
            raise UsageError(f"no play is named {last!r}", where=where, hint=f"see {playbook.name}")
        end = plays.index(last) + 1
        if end <= found[-1].plays:
            raise UsageError(f"{name!r} ends before {found[-1].name!r} does", where=where)
        found.append(Phase(name, end))
    if found[-1].plays < len(plays):
        found.append(Phase(CONVERGED, len(plays)))
    return tuple(found)


def up_to(playbook: Path, passed: tuple[Phase, ...], roles: Collection[str] | None) -> tuple[Phase, ...]:
    """Return the phases up to the one after which ``roles`` have been applied in all plays that use them.

    Args:
        playbook: its file.
        passed: all its phases.
        roles: names of roles; None for all.

    Returns:
        phases from the first on; all phases if no play names one of the roles.

    Raises:
        ConvergeError: the playbook cannot be read.
    """
    applied = {role: number + 1 for number, play in enumerate(plays_of(playbook)) for role in roles_of(play)}
    if roles is None or not applied.keys() >= set(roles):
        return passed
    end = max((applied[role] for role in roles), default=0)
    last = next(number for number, phase in enumerate(passed) if phase.plays >= end)
    return passed[: last + 1]


def key(root: Path, project: Project, phase: Phase, *more: str) -> str:
    """Hash the content that ``phase`` depends on: its plays, the files of all roles that they use, and ``more``.

    Args:
        root: the checkout.
        project: has the paths of its playbook, roles and Ansible configuration.
        phase: one of :func:`phases`.
        more: further content that it depends on: topology, depot.

    Returns:
        16 hexadecimal digits.
    """
    plays = plays_of(root / project.playbook)[: phase.plays]
    roles = reached(root / project.roles, (role for play in plays for role in roles_of(play)))
    digest = hashlib.sha256(f"{phase.name}\0".encode())
    variables = repr(project.playbook_environment)
    for text in (*more, variables, yaml.safe_dump(plays, sort_keys=True)):
        digest.update(text.encode() + b"\0")
    places = [root / project.ansible_config, *(root / name for name in ALWAYS)]
    if (beside := (root / project.playbook).parent) not in {root, root / STATE}:
        places += [beside / name for name in ALWAYS]
    for place in (*places, *(root / project.roles / role for role in roles)):
        for path in files(place):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def files(start: Path) -> Iterator[Path]:
    """Yield the files at and below ``start``, sorted, without Python's caches; none if ``start`` does not exist."""
    for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def part(playbook: Path, first: int, end: int) -> str:
    """Return the text of the plays from number ``first`` up to but not including ``end``, on unchanged line numbers."""
    text = playbook.read_text(encoding="utf-8")
    root: Any = yaml.compose(text)
    starts = [node.start_mark.line for node in root.value]
    lines = text.splitlines()
    begin, stop = starts[first], (starts[end] if end < len(starts) else len(lines))
    return "\n".join(line if begin <= number < stop else "" for number, line in enumerate(lines)) + "\n"
