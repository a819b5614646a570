"""Say what to do about a role or a collection that Ansible does not find."""

from __future__ import annotations

import re
from pathlib import Path

from proving_ground.core.problems import nearest


def missing_hint(error: str) -> str:
    """Return what to do about Ansible's ``error``: the nearest role, or the file that installs what is missing.

    Args:
        error: the error's text; for a role it lists the directories in which Ansible has looked.

    Returns:
        empty for every other error.
    """
    if role := re.search(r"the role '([^']+)' was not found in (\S+)", error):
        known = _roles_in(role[2].split(":"))
        return nearest(role[1], known) if known else "write it, or list it in requirements.yml"
    if module := re.search(r"couldn't resolve module/action '(\w+\.\w+)\.\w+'", error):
        return f"list the collection {module[1]} in requirements.yml, or look for a misspelling"
    return ""


def _roles_in(directories: list[str]) -> list[str]:
    """Return the names of the roles in these directories, sorted; other directories in them are no roles."""
    found = {path.parent.name for each in directories for path in Path(each).glob("*/tasks")}
    return sorted(found | {path.parent.name for each in directories for path in Path(each).glob("*/meta")})
