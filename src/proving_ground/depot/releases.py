"""Merge a release (depot/releases/NAME.yml) into the recipe: it completes components, or replaces their keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proving_ground.core.problems import Keys, Problem, nearest

DIRECTORY = "releases"
"""Beside ``depot.yml``: a file for each release, ``1.36.yml``."""


def merged(recipe: Any, release: Any) -> Any:
    """Return the recipe with the release's keys in its components, in the recipe's order.

    Args:
        recipe: the content of ``depot.yml``.
        release: the content of the release's file: some of the recipe's components, with some of their keys.
    """
    if not isinstance(recipe, dict) or not isinstance(release, dict):
        return recipe
    complete = dict(recipe)
    for name in recipe.keys() & release.keys():
        ours, theirs = recipe[name], release[name]
        complete[name] = {**ours, **theirs} if isinstance(ours, dict) and isinstance(theirs, dict) else theirs
    return complete


def problems(recipe: Any, release: Any) -> Iterator[Problem]:
    """Yield the problems that merging would hide; an empty file is a release that changes nothing."""
    if release is not None and not isinstance(release, dict):
        yield Problem((), f"is {release!r}", "write a mapping of components by name")
    elif isinstance(recipe, dict):
        for name in release or ():
            if name not in recipe:
                yield Problem((name,), "depot.yml has no such component", nearest(str(name), map(str, recipe)))


def has_written(release: Any, keys: Keys) -> bool:
    """Whether the value at ``keys`` of the merged recipe comes from the release."""
    for key in keys[:2]:
        if not isinstance(release, dict) or key not in release:
            return False
        release = release[key]
    return bool(keys)
