"""Find the roles that a role uses in its dependencies, tasks and handlers, without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from proving_ground.ansible.playbook import IMPORTS, used_in
from proving_ground.core.documents import read_yaml

WORDS = (*IMPORTS, "dependencies")
"""A file that uses a role contains one of these words."""


def reached(directory: Path, names: Iterable[str]) -> list[str]:
    """Return the given roles and all roles that they use, directly or indirectly.

    Args:
        directory: the directory of the project's roles.
        names: the given roles.

    Returns:
        names, each once, the given ones first. If a role's name is a template, it may be any role: then all roles in
        ``directory``.
    """
    found: dict[str, None] = {}
    waiting = list(dict.fromkeys(names))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            uses = list(used(directory / name))
            waiting += every(directory) if any("{{" in each for each in uses) else uses
    return list(found)


def every(directory: Path) -> Iterator[str]:
    """Yield the names of all roles below ``directory``: folders that have ``tasks`` or ``meta``."""
    for part in sorted([*directory.rglob("tasks"), *directory.rglob("meta")]):
        yield str(part.parent.relative_to(directory))


def used(role: Path) -> Iterator[str]:
    """Yield the names of the roles that the files of ``role`` use; a name may be a template, and may repeat."""
    for folder in ("meta", "tasks", "handlers"):
        for path in sorted((role / folder).rglob("*.y*ml")):
            text = path.read_text(encoding="utf-8")
            if not any(word in text for word in WORDS):  # parsing YAML takes far longer than searching for a word
                continue
            try:
                content = read_yaml(text)
            except yaml.YAMLError:  # Ansible reports it with a better message
                continue
            yield from _dependencies(content) if folder == "meta" else used_in(content)


def _dependencies(content: Any) -> Iterator[str]:
    for each in (content.get("dependencies") if isinstance(content, dict) else None) or []:
        yield str((each.get("role") or each.get("name")) if isinstance(each, dict) else each)
