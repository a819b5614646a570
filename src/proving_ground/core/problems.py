"""Report all problems of a file at once: line, path of the key, and the nearest valid word."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from proving_ground.core.errors import HarnessError

Keys = tuple[str | int, ...]
"""The path from a document's root to a value: keys of mappings, indices of lists."""

Lines = Callable[[Keys], int | None]
"""Returns the line of a key (the first line is 1), or None if the line is unknown."""


@dataclass(frozen=True)
class Problem:
    """One problem in a document.

    Attributes:
        keys: path of the wrong value.
        what: the cause.
        hint: the change that fixes it.
    """

    keys: Keys
    what: str
    hint: str = ""


def dotted(keys: Keys) -> str:
    """Format a path for an error: ``machines.web.groups[0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for the unknown ``word``: the most similar known word, or all known words."""
    words = list(known)
    close = closest(word, words)
    return f"did you mean {close}?" if close else f"choose one of: {', '.join(words)}"


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar to ``word``, or None if none is similar."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def refusal(kind: type[HarnessError], where: str, problems: Iterable[Problem], lines: Lines) -> HarnessError:
    """Combine all problems of a file into one error, sorted by line.

    Args:
        kind: the error's class.
        where: the file's name in the error.
        problems: at least one.
        lines: finds a key's line in that file.
    """
    known = [(lines(each.keys), each) for each in problems]
    known.sort(key=lambda pair: pair[0] or 0)
    errors = []
    for line, each in known:
        place = (f"{where}:{line}" if line else where, dotted(each.keys))
        errors.append(kind(each.what, where=": ".join(filter(None, place)), hint=each.hint))
    return errors[0] if len(errors) == 1 else kind("\n".join(str(error) for error in errors))


def shown(path: Path) -> str:
    """Format a file's path, relative to the current directory if it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)
