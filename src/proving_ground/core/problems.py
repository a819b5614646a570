"""Report everything that is wrong in a file at once: line, path of the key, and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from proving_ground.core.errors import HarnessError

Keys = tuple[str | int, ...]
"""The way from a document's top to one of its values: keys of mappings, numbers of a list's entries."""

Lines = Callable[[Keys], int | None]
"""Tells the line of a key, the first line being 1; None where it cannot be told."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        keys: where.
        what: the cause.
        hint: the change that helps.
    """

    keys: Keys
    what: str
    hint: str = ""


def dotted(keys: Keys) -> str:
    """A path as people write it: ``machines.web.groups[0]``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for somebody who wrote ``word``: the known word that is most like it, or else all of them."""
    words = list(known)
    close = closest(word, words)
    return f"did you mean {close}?" if close else f"choose one of: {', '.join(words)}"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote ``word`` may have meant, or None."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def refusal(kind: type[HarnessError], where: str, problems: Iterable[Problem], lines: Lines) -> HarnessError:
    """One error for all problems of a file, the first line first.

    Args:
        kind: the error's class.
        where: the file, as people know it.
        problems: at least one.
        lines: of that file.
    """
    known = [(lines(each.keys), each) for each in problems]
    known.sort(key=lambda pair: pair[0] or 0)
    errors = []
    for line, each in known:
        place = (f"{where}:{line}" if line else where, dotted(each.keys))
        errors.append(kind(each.what, where=": ".join(filter(None, place)), hint=each.hint))
    return errors[0] if len(errors) == 1 else kind("\n".join(str(error) for error in errors))


def shown(path: Path) -> str:
    """A file's path, relative to the current directory where it lies below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)
