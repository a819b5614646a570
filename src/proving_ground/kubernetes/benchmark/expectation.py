"""What a single value has to be: an argument, a setting of a kubelet, a field of an object. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from proving_ground.core.errors import UsageError

Words = tuple[str, ...]

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
DURATION = re.compile(rf"(?:{PART.pattern})+")


@dataclass(frozen=True)
class Expectation:
    """What a value has to be; all that is given has to hold.

    Values are compared as texts: lists are joined by commas, true and false are written like that, and a mapping is the
    list of its keys.

    Attributes:
        equals: the value itself.
        differs: what it must not be.
        includes: entries that a list separated by commas has to have.
        excludes: entries that it must not have.
        only: all entries that it may have; it needs at least one.
        at_least: the lowest number, or seconds of a duration.
        at_most: the highest number.
        given: whether there has to be a value, or must be none.
        default: the value that counts if none is given.
    """

    equals: str | None = None
    differs: str | None = None
    includes: Words = ()
    excludes: Words = ()
    only: Words = ()
    at_least: float | None = None
    at_most: float | None = None
    given: bool | None = None
    default: str | None = None

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Expectation:
        """Read an expectation from the keys of a question that are its own.

        Raises:
            UsageError: it expects nothing, so that it could not fail.
        """
        given = {name: _read(name, manifest[name]) for name in KEYS if name in manifest}
        if not set(given) - {"default"}:
            raise UsageError("it expects nothing", where=where, hint=f"add one of: {', '.join(KEYS)}")
        return cls(**given)

    def wrong(self, value: Any) -> str:
        """Return what is wrong with a value; empty if nothing is.

        Args:
            value: the value, or None if there is none.
        """
        if self.given is False:
            return f"is {shown(value)}, and must not be set" if value is not None else ""
        if value is None and self.default is None:
            without = self.given is None and not (self.equals or self.includes or self.only or self._bounds)
            return "" if without else "is not set"
        text = shown(self.default if value is None else value)
        what = f"is {text!r}" + (" by default" if value is None else "")
        return "; ".join(f"{what}, {problem}" for problem in self._problems(text))

    @property
    def _bounds(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    def _problems(self, text: str) -> list[str]:
        entries = [each.strip() for each in text.split(",") if each.strip()]
        found = []
        if self.given and not text:
            found.append("which is empty")
        if self.equals is not None and text != self.equals:
            found.append(f"and should be {self.equals!r}")
        if self.differs is not None and text == self.differs:
            found.append("and must not be")
        if missing := [each for each in self.includes if each not in entries]:
            found.append(f"which lacks {', '.join(missing)}")
        if present := [each for each in self.excludes if each in entries]:
            found.append(f"which must not have {', '.join(present)}")
        if self.only and (not entries or [each for each in entries if each not in self.only]):
            other = ", ".join(each for each in entries if each not in self.only)
            found.append(f"of which {other} is not allowed" if other else "which is empty")
        if self._bounds:
            found += self._out_of_bounds(text)
        return found

    def _out_of_bounds(self, text: str) -> list[str]:
        number = number_of(text)
        if number is None:
            return ["which is no number"]
        if self.at_least is not None and number < self.at_least:
            return [f"which is less than {self.at_least:g}"]
        if self.at_most is not None and number > self.at_most:
            return [f"which is more than {self.at_most:g}"]
        return []


KEYS = tuple(each.name for each in fields(Expectation))


def shown(value: Any) -> str:
    """Return a value as text, as arguments have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return ",".join(shown(each) for each in value)
    return str(value)


def number_of(text: str) -> float | None:
    """Return a number, or the seconds of a duration such as ``4h0m0s``; None if a text is neither."""
    if DURATION.fullmatch(text):
        return sum(float(amount) * SECONDS[unit] for amount, unit in PART.findall(text))
    try:
        return float(text)
    except ValueError:
        return None


def _read(name: str, value: Any) -> Any:
    if name in {"includes", "excludes", "only"}:
        return tuple(shown(each) for each in (value if isinstance(value, list) else [value]))
    if name in {"at_least", "at_most"}:
        return float(value)
    return bool(value) if name == "given" else shown(value)
