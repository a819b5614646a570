"""Check content against a JSON Schema; describe each problem in plain English."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from proving_ground.core.problems import Keys, Problem, closest, nearest

SCHEMAS = Path(__file__).parent / "schemas"

REFERENCE = re.compile(r'"([\w-]+\.json)#/\$defs/')
"""The beginning of a reference to a definition in another schema of the same directory."""

NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "a mapping of keys and values",
    "string": "text in quotes",
}
"""Names of JSON Schema's types in errors, without ``null``: a value that may be null may also be left out."""


def check(content: Any, schema: Path) -> list[Problem]:
    """Return all problems of ``content``.

    Args:
        content: the result of a YAML or TOML parser.
        schema: file of the JSON Schema.

    Returns:
        the problems; empty if the content is valid.
    """
    rules = bundled(schema)
    validator = jsonschema_rs.Draft202012Validator(rules)
    return [problem for error in validator.iter_errors(plain(content)) for problem in told(error, rules)]


def bundled(schema: Path) -> Any:
    """Return the content of a schema, with the definitions of those beside it that it refers to as its own."""
    text = schema.read_text(encoding="utf-8")
    rules = json.loads(REFERENCE.sub('"#/$defs/', text))
    for name in dict.fromkeys(REFERENCE.findall(text)):
        other = json.loads(schema.with_name(name).read_text(encoding="utf-8"))
        rules["$defs"] = {**other["$defs"], **rules.get("$defs", {})}
    return rules


def plain(content: Any) -> Any:
    """Convert content to JSON's types: YAML has keys that are not strings, and dates."""
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [plain(value) for value in content]
    return content if isinstance(content, str | int | float) or content is None else str(content)


def told(error: jsonschema_rs.ValidationError, rules: Any) -> Iterator[Problem]:
    """Convert one validator error to problems: one for every unknown key, else one."""
    keys: Keys = tuple(error.instance_path)
    rule = rules
    for step in error.schema_path[:-1]:
        rule = rule[step]
    match error.kind:
        case Kind.AdditionalProperties(unexpected=names):
            for name in names:
                yield Problem((*keys, name), "unknown key", nearest(name, rule["properties"]))
        case Kind.Required(property=name):
            example = rule.get("properties", {}).get(name, {}).get("examples", ["…"])[0]
            yield Problem(keys, f"needs the key {name}", f"add {name}: {example}")
        case Kind.PropertyNames(error=inner):
            yield Problem((*keys, str(inner.instance)), "cannot be a name here", f"write {wanted(rule)}")
        case Kind.Enum():
            choices = [str(choice) for choice in rule["enum"]]
            close = closest(str(error.instance), choices)
            hint = f"did you mean {close}?" if close else "choose one of these"
            yield Problem(keys, f"{error.instance} is none of {', '.join(choices)}", hint)
        case _:
            yield Problem(keys, f"is {short(error.instance)}", f"write {wanted(rule)}")


def wanted(rule: dict[str, Any]) -> str:
    """Describe the values that a rule allows: its ``x-wanted``, or a text such as ``a whole number from 1 to 9``."""
    if "x-wanted" in rule:
        return str(rule["x-wanted"])
    types = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type", [])
    words = " or ".join(NAMES[each] for each in types if each != "null") or "another value"
    least, most = rule.get("minimum"), rule.get("maximum")
    if most is not None:
        words += f" from {least} to {most}"
    elif least is not None:
        words += f", {least} or more"
    if types == ["array"] and "items" in rule:
        words += " of texts" if rule["items"].get("type") == "string" else " of mappings"
    if rule.get("minItems") or rule.get("minProperties"):
        words += " that is not empty"
    return words + (f", such as {rule['examples'][0]}" if rule.get("examples") else "")


def short(value: Any) -> str:
    """Format a value for an error, cut after 60 characters."""
    text = "empty" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
