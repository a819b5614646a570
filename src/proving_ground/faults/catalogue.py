"""Read the faults of a project: one small YAML file each, whose name is the fault's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest, shown
from proving_ground.core.schema import SCHEMAS
from proving_ground.core.yaml_files import read_checked

CONTROLLER = "controller"
"""In ``machine``: the fault's scripts run beside pytest, where the tools that inspect the machines are."""


@dataclass(frozen=True)
class Fault:
    """One thing that is broken on purpose.

    Attributes:
        name: its file's name without ``.yml``.
        what: what is broken, as a sentence.
        roles: the roles that make what it breaks.
        machine: a pattern of Ansible's, of which the first machine gets the fault; or :data:`CONTROLLER`.
        put_in: the script of a shell that puts it in.
        take_out: the script that takes it out, also if it is half put in, or taken out already.
        red: beginnings of tests' node identifiers; the first red test has to be one of these.
        green: beginnings of node identifiers of tests that must not be red.
    """

    name: str
    what: str
    roles: tuple[str, ...]
    machine: str
    put_in: str
    take_out: str
    red: tuple[str, ...]
    green: tuple[str, ...] = ()


def catalogue(directory: Path) -> Mapping[str, Fault]:
    """Return name → fault, sorted by name; empty if there is no such directory.

    Args:
        directory: the project's directory of faults.

    Raises:
        UsageError: a file is not YAML, lacks a key, or has an unknown one.
    """
    return {path.stem: read(path) for path in sorted(directory.glob("*.yml"))}


def fault_named(name: str, directory: Path) -> Fault:
    """Return one fault; raises UsageError with the nearest name if there is none with this."""
    path = directory / f"{name}.yml"
    if not path.is_file():
        known = [each.stem for each in sorted(directory.glob("*.yml"))]
        hint = nearest(name, known) if known else f"write {shown(path)}"
        raise UsageError(f"unknown fault {name!r}", where=shown(directory), hint=hint)
    return read(path)


def read(path: Path) -> Fault:
    """Return the fault in one file; raises UsageError."""
    said = read_checked(path, SCHEMAS / "fault.json")
    roles = said["role"] if isinstance(said["role"], list) else [said["role"]]
    return Fault(
        path.stem,
        said["what"],
        tuple(roles),
        said["machine"],
        said["put_in"],
        said["take_out"],
        tuple(said["red"]),
        tuple(said.get("green", ())),
    )
