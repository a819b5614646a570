"""Find the roles that a role uses: by dependency, in its tasks, in its handlers; nothing is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from proving_ground.ansible.playbook import IMPORTS, used_in
from proving_ground.core.documents import read_yaml

WORDS = (*IMPORTS, "dependencies")
"""No file that has none of these uses a role."""


def reached(directory: Path, names: Iterable[str]) -> list[str]:
    """Roles, and all that these use, and so on.

    Args:
        directory: holds the project's roles.
        names: where to begin.

    Returns:
        names, each once, those that were given first. Where a role's name is known only when it runs, it may be any:
        then all that ``directory`` holds.
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
    """Names of all roles below ``directory``: folders that have tasks or dependencies."""
    for part in sorted([*directory.rglob("tasks"), *directory.rglob("meta")]):
        yield str(part.parent.relative_to(directory))


def used(role: Path) -> Iterator[str]:
    """Names of the roles that the files of ``role`` name; a name may be an expression, and may come again."""
    for folder in ("meta", "tasks", "handlers"):
        for path in sorted((role / folder).rglob("*.y*ml")):
            text = path.read_text(encoding="utf-8")
            if not any(word in text for word in WORDS):  # to read YAML takes far longer than to look for a word
                continue
            try:
                content = read_yaml(text)
            except yaml.YAMLError:  # Ansible says so, and better
                continue
            yield from _dependencies(content) if folder == "meta" else used_in(content)


def _dependencies(content: Any) -> Iterator[str]:
    for each in (content.get("dependencies") if isinstance(content, dict) else None) or []:
        yield str((each.get("role") or each.get("name")) if isinstance(each, dict) else each)
