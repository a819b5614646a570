"""Replace single values of a plan by those of the command line, such as ``web.count=5``. Pure."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from proving_ground.core.documents import read_yaml
from proving_ground.core.errors import UsageError
from proving_ground.core.problems import Problem, nearest
from proving_ground.core.schema import SCHEMAS, check

WHERE = "--pg-set"
EXAMPLE = "write KIND.KEY=VALUE, such as web.count=3"
SCALARS = ("boolean", "integer", "string")
"""JSON Schema's types of the keys of a kind that can be replaced."""

TABLES = ("variables", "environment")
"""Keys of a kind that are tables: ``web.variables.port=80`` replaces one of their values."""

OF_PLANS = {"networks": 2, "variables": 2, "group_variables": 3}
"""Keys beside ``machines`` → number of words before the value: ``variables.port``, ``group_variables.web.port``."""

Path = tuple[str, ...]
"""The keys of a value, from the plan's root."""


def normalized(text: str) -> str:
    """Return overrides in one form: the last one for each value, sorted, as words of a shell.

    Args:
        text: the overrides, as words of a shell.

    Raises:
        UsageError: a quotation mark is missing.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} cannot be read: {error}", where=WHERE, hint=EXAMPLE) from error
    last = {word.partition("=")[0].strip(): word.strip() for word in words}
    return shlex.join(sorted(last.values()))


def options(text: str) -> list[str]:
    """Return pytest's options for normalized overrides."""
    return [f"{WHERE}={word}" for word in shlex.split(text)]


def overridden(plan: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Return the plan with the overrides' values.

    Args:
        plan: the content of a topology file, valid.
        text: the overrides, normalized.

    Raises:
        UsageError: an override names no value of the plan, or its value is none that the key can have.
    """
    if not text:
        return plan
    changed = copy.deepcopy(dict(plan))
    said: dict[Path, str] = {}
    for word in shlex.split(text):
        name, sign, value = word.partition("=")
        if not sign:
            raise UsageError("a value is missing", where=f"{WHERE} {word}", hint=EXAMPLE)
        keys = _keys(name, plan["machines"], f"{WHERE} {word}")
        _put(changed, keys, _value(keys, value, f"{WHERE} {word}"))
        said[keys] = word
    if errors := list(_errors(check(changed, SCHEMAS / "topology.json"), said)):
        raise errors[0] if len(errors) == 1 else UsageError("\n".join(str(each) for each in errors))
    return changed


def blamed(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return problems of a plan with overrides: their hints name the overrides, which may be the cause."""
    dropped = f", or drop {' '.join(options(text))}"
    return [replace(each, hint=each.hint + dropped) if text else each for each in problems]


def _keys(name: str, kinds: Mapping[str, Any], where: str) -> Path:
    """Return the path of the value that ``web.count`` names."""
    kind = max((each for each in kinds if name.startswith(f"{each}.")), key=len, default="")
    if kind:
        return ("machines", kind, *_keys_of_kind(name.removeprefix(f"{kind}."), where))
    first, _, rest = name.partition(".")
    if rest and first in OF_PLANS:
        words = rest.split(".", OF_PLANS[first] - 2)
        if len(words) == OF_PLANS[first] - 1 and all(words):
            return (first, *words)
    unknown, _, _ = name.rpartition(".")
    if not unknown:
        raise UsageError(f"{name} names no key of a kind of machines", where=where, hint=EXAMPLE)
    raise UsageError(f"no kind of machines is called {unknown}", where=where, hint=nearest(unknown, kinds))


def _keys_of_kind(name: str, where: str) -> Path:
    first, _, rest = name.partition(".")
    if rest and first in TABLES:
        return first, rest
    rules = json.loads((SCHEMAS / "topology.json").read_text(encoding="utf-8"))["$defs"]["machine"]["properties"]
    known = [key for key, rule in rules.items() if rule.get("type") in SCALARS]
    if name in known:
        return (name,)
    if first in rules:
        table = f"{first}.NAME=VALUE" if first in TABLES else ""
        what = f"{first} is not a single value"
        raise UsageError(what, where=where, hint=f"write {table}" if table else "write it in the plan's file")
    raise UsageError(f"unknown key {name}", where=where, hint=nearest(name, known))


def _value(keys: Path, text: str, where: str) -> Any:
    """Return a value as YAML reads it, but text where only text is allowed."""
    if keys[0] == "networks" or keys[-1] == "image":
        return text
    try:
        value = read_yaml(text)
    except yaml.YAMLError:
        value = text
    if isinstance(value, dict | list):
        raise UsageError(f"{text} is not a single value", where=where, hint="write a number, a text, true or false")
    return value


def _put(plan: dict[str, Any], keys: Path, value: Any) -> None:
    place = plan
    for key in keys[:-1]:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
    place[keys[-1]] = value


def _errors(problems: Iterable[Problem], said: Mapping[Path, str]) -> Iterator[UsageError]:
    for each in problems:
        word = next((word for keys, word in said.items() if each.keys[: len(keys)] == keys), "")
        yield UsageError(each.what, where=f"{WHERE} {word}".strip(), hint=each.hint)
