"""Read a suite of upstream's cases from its file: which run, and which are left out for what reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import shown
from proving_ground.core.yaml_files import read_checked

SCHEMA = Path(__file__).with_name("suite.json")
PREFIX = "e2e_"
"""What the names of such files begin with, as those of tests begin with ``test_``."""

Pattern = re.Pattern[str]


@dataclass(frozen=True)
class Case:
    """One of upstream's cases.

    Attributes:
        name: its whole name, with its tags.
        left_out: why it does not run; empty if it does.
    """

    name: str
    left_out: str = ""


@dataclass(frozen=True)
class Suite:
    """Some of upstream's cases, which run together.

    Attributes:
        name: its file's name, without ``e2e_`` and ``.yml``.
        path: its file.
        cases: it has the cases whose names match one of these.
        left_out: pattern of cases that do not run → the reason.
        processes: how many cases run at the same time.
        minutes: after so many upstream ends the run.
    """

    name: str
    path: Path
    cases: tuple[Pattern, ...]
    left_out: tuple[tuple[Pattern, str], ...] = ()
    processes: int = 1
    minutes: int = 60

    def choose(self, names: Sequence[str]) -> list[Case]:
        """Return the suite's cases, sorted by name.

        Args:
            names: of all cases that upstream's program has.

        Raises:
            UsageError: there are none.
        """
        chosen = sorted({name for name in names if any(pattern.search(name) for pattern in self.cases)})
        if not chosen:
            raise UsageError(f"none of {len(names)} cases is chosen", where=shown(self.path))
        return [Case(name, self._reason(name)) for name in chosen]

    def unused(self, cases: Sequence[Case]) -> list[str]:
        """Return the patterns of ``left_out`` that fit none of these cases: of another version, or out of date."""
        return [pattern.pattern for pattern, _ in self.left_out if not any(pattern.search(case.name) for case in cases)]

    def _reason(self, name: str) -> str:
        return next((reason for pattern, reason in self.left_out if pattern.search(name)), "")


def read(path: Path) -> Suite:
    """Return the suite in one file.

    Raises:
        UsageError: the file is not YAML, lacks a key, has an unknown one, or a pattern that is none.
    """
    said: Mapping[str, Any] = read_checked(path, SCHEMA)
    left_out = [
        (pattern, rule["reason"]) for rule in said.get("left_out", ()) for pattern in _patterns(rule["cases"], path)
    ]
    return Suite(
        path.stem.removeprefix(PREFIX),
        path,
        tuple(_patterns(said["cases"], path)),
        tuple(left_out),
        said.get("processes", Suite.processes),
        said.get("minutes", Suite.minutes),
    )


def _patterns(texts: Iterable[str], path: Path) -> Iterator[Pattern]:
    for text in texts:
        try:
            yield re.compile(text)
        except re.error as error:
            raise UsageError(f"{text!r} is no pattern: {error}", where=shown(path)) from error
