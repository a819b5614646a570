"""Replace the variables in a molecule.yml, as Molecule does: ``${A:-default}``, ``${A-default}``, ``$$``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proving_ground.core.errors import UsageError

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
EXPRESSION = re.compile(
    rf"\$(?:(?P<dollar>\$)|\{{(?P<braced>{NAME})(?:(?P<operator>:?-)(?P<default>[^}}]*))?\}}|(?P<plain>{NAME})|(?P<wrong>))"
)

OWN = (
    *("MOLECULE_PROJECT_DIRECTORY", "MOLECULE_SCENARIO_DIRECTORY", "MOLECULE_SCENARIO_NAME"),
    *("MOLECULE_EPHEMERAL_DIRECTORY", "MOLECULE_INVENTORY_FILE", "MOLECULE_FILE"),
)
"""The variables that Molecule sets itself, and that a migrated project sets while playbooks run."""


@dataclass(frozen=True)
class Fixed:
    """A variable that has one value from the migration on.

    Attributes:
        line: where it stands.
        text: the expression as it stands there.
        variable: its name.
        value: what it was replaced by.
    """

    line: int
    text: str
    variable: str
    value: str


def interpolate(text: str, values: Mapping[str, str], *, where: str) -> str:
    """Return the text with all variables replaced.

    Args:
        text: the content of a molecule.yml.
        values: environment variables; one that is missing is empty, unless the text has a default for it.
        where: the file's name in an error.

    Raises:
        UsageError: a ``$`` begins no variable; Molecule refuses it, too.
    """

    def replacement(found: re.Match[str]) -> str:
        if found["wrong"] is not None:
            line = text.count("\n", 0, found.start()) + 1
            raise UsageError("$ begins no variable", where=f"{where}:{line}", hint="write $$ for a dollar sign")
        return "$" if found["dollar"] else value_of(found, values)

    return EXPRESSION.sub(replacement, text)


def value_of(found: re.Match[str], values: Mapping[str, str]) -> str:
    """Return what a match of :data:`EXPRESSION` with a variable stands for."""
    name, default = found["braced"] or found["plain"], found["default"] or ""
    if default.startswith("$"):
        default = values.get(default[1:], "")
    if found["operator"] == ":-":
        return values.get(name) or default
    return values.get(name, default)


def fixed(text: str, values: Mapping[str, str]) -> list[Fixed]:
    """Return the variables in a text that are not Molecule's own, with what each is replaced by."""
    return [
        Fixed(text.count("\n", 0, found.start()) + 1, found[0], name, value_of(found, values))
        for found in EXPRESSION.finditer(text)
        if (name := found["braced"] or found["plain"]) and name not in OWN
    ]
