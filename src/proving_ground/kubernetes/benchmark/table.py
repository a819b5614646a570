"""Read the table of checks: the files in checks/, one for each section, and the paths that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.yaml_files import read_file
from proving_ground.kubernetes.benchmark.model import Check
from proving_ground.kubernetes.benchmark.site import read_paths
from proving_ground.kubernetes.benchmark.ways.registry import read_questions
from proving_ground.kubernetes.policies.manifest import fields, items

CHECKS = Path(__file__).parent / "checks"
PATHS = "paths.yml"

VERSION = "1.12"
"""The version of the CIS Kubernetes Benchmark."""


def checks() -> tuple[Check, ...]:
    """Return all checks in the order of their numbers.

    Raises:
        UsageError: a file is wrong, or a number or name is there twice.
    """
    found = [
        _check(entry, path.name)
        for path in sorted(CHECKS.glob("*.yml"))
        if path.name != PATHS
        for entry in items(read_file(path), path.name)
    ]
    numbers = [check.id for check in found]
    if twice := {each for each in numbers if numbers.count(each) > 1}:
        raise UsageError(f"twice: {', '.join(sorted(twice))}", where=str(CHECKS))
    return tuple(sorted(found, key=lambda check: [int(part) for part in check.id.split(".")]))


def usual_paths() -> dict[str, tuple[str, ...]]:
    """Return name → paths where kubeadm puts the files that checks ask for."""
    return read_paths(read_file(CHECKS / PATHS))


def _check(entry: Any, where: str) -> Check:
    given = fields(entry, ("id", "name", "what", "ask"), where)
    if lacking := [each for each in ("id", "name", "what", "ask") if not given.get(each)]:
        raise UsageError(f"a check lacks {', '.join(lacking)}", where=f"{where}: {given.get('id')}")
    questions = read_questions(given["ask"], f"{where}: {given['id']}")
    return Check(str(given["id"]), str(given["name"]), str(given["what"]), questions)
