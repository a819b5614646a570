"""Read YAML files whose errors name file and line: their content, and that it fits a JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proving_ground.core.documents import read_yaml
from proving_ground.core.errors import HarnessError, UsageError
from proving_ground.core.lines import yaml_lines
from proving_ground.core.problems import refusal, shown
from proving_ground.core.schema import check


def read_checked(path: Path, schema: Path) -> Any:
    """Return the content of a file that fits a schema.

    Args:
        path: a file that exists.
        schema: file of the JSON Schema.

    Raises:
        UsageError: it is not YAML, or does not fit; all problems with their lines.
    """
    text = path.read_text(encoding="utf-8")
    content = parsed(text, shown(path))
    if problems := check(content, schema):
        raise refusal(UsageError, shown(path), problems, yaml_lines(text))
    return content


def read_file(path: Path, where: str = "", kind: type[HarnessError] = UsageError) -> Any:
    """Return the content of a file.

    Args:
        path: a file that exists.
        where: its name in errors; without one, its path relative to the current directory.
        kind: the error's class.

    Raises:
        HarnessError: of that kind: it is not YAML.
    """
    return parsed(path.read_text(encoding="utf-8"), where or shown(path), kind)


def parsed(text: str, where: str, kind: type[HarnessError] = UsageError) -> Any:
    """Return the content of a text; arguments and errors as in :func:`read_file`."""
    try:
        return read_yaml(text)
    except yaml.YAMLError as error:
        raise kind(not_yaml(error), where=where) from error


def not_yaml(error: yaml.YAMLError) -> str:
    """Format a YAML parser's error as one line: the problem, its line and column."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    words = problem or " ".join(str(error).split())
    return f"not YAML: {words}" + (f" [line {mark.line + 1}, column {mark.column + 1}]" if mark else "")
