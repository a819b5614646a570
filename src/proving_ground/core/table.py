"""Tell whether a project asks for the plugin: whether its ``pyproject.toml`` has a table ``[tool.proving-ground]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TABLE = re.compile(r"""^\s*\[\s*tool\s*\.\s*["']?proving-ground["']?\s*[].]""", re.MULTILINE)
"""How the table begins, or one in it; a text of several lines may hold such a line, too."""


def is_asked_for(root: Path) -> bool:
    """Whether the project in ``root`` has a table ``[tool.proving-ground]``, even one that cannot be read."""
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if not TABLE.search(text):  # so far it has cost next to nothing, and in most projects that is all
        return False
    import tomllib

    try:
        return "proving-ground" in tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True
