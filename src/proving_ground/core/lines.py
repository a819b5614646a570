"""Find the line of a key in a YAML or TOML file; used only after an error."""

from __future__ import annotations

import re
from typing import Any

import yaml

from proving_ground.core.problems import Keys, Lines

HEADER = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?$")
ENTRY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def no_lines(keys: Keys) -> int | None:  # noqa: ARG001 - as every Lines
    """Return None: the ``Lines`` of content that was not read from a file."""
    return None


def yaml_lines(text: str) -> Lines:
    """Return a function that finds the line of a key in a YAML text."""

    def line(keys: Keys) -> int | None:
        node: Any = yaml.compose(text)
        found = node.start_mark.line + 1 if node is not None else None
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                entry = next(((name, value) for name, value in node.value if name.value == str(key)), None)
                if entry is None:
                    return found
                found, node = entry[0].start_mark.line + 1, entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                found = node.start_mark.line + 1
        return found

    return line


def toml_lines(text: str, table: str) -> Lines:
    """Return a function that finds the line of a key below ``table`` (its dotted name) in a TOML text."""
    above = tuple(table.split("."))
    places: dict[tuple[str, ...], int] = {}
    current: tuple[str, ...] = ()
    for number, content in enumerate(text.splitlines(), start=1):
        if (header := HEADER.match(content)) is not None:
            current = parts(header[1])
            places.setdefault(current, number)
        elif (entry := ENTRY.match(content)) is not None:
            words = parts(entry[1])
            for end in range(len(words), 0, -1):
                places.setdefault((*current, *words[:end]), number)

    def line(keys: Keys) -> int | None:
        path = (*above, *(str(key) for key in keys))
        return next((places[path[:end]] for end in range(len(path), 0, -1) if path[:end] in places), None)

    return line


def parts(dotted: str) -> tuple[str, ...]:
    """Split a TOML key into its parts, without quotes."""
    return tuple(part.strip("\"'") for part in PART.findall(dotted))
