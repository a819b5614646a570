"""Check whether a project uses the plugin: its ``pyproject.toml`` has a table ``[tool.proving-ground]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TABLE = re.compile(r"""^\s*\[\s*tool\s*\.\s*["']?proving-ground["']?\s*[].]""", re.MULTILINE)
"""The header of the table or of a table in it; a multi-line string in the file may contain such a line, too."""


def is_asked_for(root: Path) -> bool:
    """Return whether the project in ``root`` has the table ``[tool.proving-ground]``, even if its TOML is invalid."""
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if not TABLE.search(text):  # most projects end here: the search is much faster than parsing TOML
        return False
    import tomllib

    try:
        return "proving-ground" in tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True
