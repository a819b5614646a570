"""Add the table ``[tool.proving-ground]`` to the text of a pyproject.toml, and leave all else as it is. Pure."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from proving_ground.core.errors import UsageError

FILE = "pyproject.toml"
NAME = "proving-ground"


def extended(text: str, table: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the text with the table's keys in it, and the keys that were there and stay as they are.

    Args:
        text: the file's content; empty if there is no file.
        table: the keys of ``[tool.proving-ground]``.

    Raises:
        UsageError: the text is no TOML, or has the table in a form that cannot be extended.
    """
    try:
        old = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"no TOML: {error}", where=FILE) from error
    there = old.get("tool", {}).get(NAME)
    if there is None:
        own = tomlkit.dumps({"tool": {NAME: table}})
        new, kept = (f"{text.rstrip()}\n\n{own}" if text.strip() else own), []
    else:
        kept = [key for key in table if key in there]
        new = _merged(text, {key: value for key, value in table.items() if key not in there})
    wanted = {**(there or {}), **{key: value for key, value in table.items() if key not in kept}}
    try:
        read = tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        read = {}
    if read != {**old, "tool": {**old.get("tool", {}), NAME: wanted}}:
        hint = "write it as [tool.proving-ground] with a line for each key"
        raise UsageError("the table tool.proving-ground cannot be extended as it is written", where=FILE, hint=hint)
    return new, kept


def _merged(text: str, more: dict[str, Any]) -> str:
    try:
        document = tomlkit.parse(text)
        tool: Any = document["tool"]
        table = tool[NAME]
        for key, value in more.items():
            table[key] = value
        return tomlkit.dumps(document)
    except TOMLKitError:
        return ""
