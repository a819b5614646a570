"""Choose one of a project's profiles: its keys replace those of the table ``[tool.proving-ground]``. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proving_ground.core import image_matrix
from proving_ground.core.errors import UsageError
from proving_ground.core.problems import Keys, Lines, Problem, nearest
from proving_ground.core.schema import SCHEMAS, check

PROFILES = "profiles"
ALTERNATIVES = {"image": "images", "images": "image"}
"""Key → the one that cannot stand beside it."""

EMPTY: tuple[Any, ...] = ("", [], {})
"""Values with which a profile takes a key of the table away."""


def problems_of(said: Any) -> Iterator[Problem]:
    """Yield what is wrong in the profiles of a table, or only in the table as a whole."""
    yield from _problems_of_images(said, ())
    found = said.get(PROFILES)
    for name, own in found.items() if isinstance(found, dict) else ():
        if not isinstance(own, dict):
            continue  # the table's schema refuses it
        if PROFILES in own:
            yield Problem((PROFILES, name, PROFILES), "a profile has no profiles", "write them beside it")
        content = {key: value for key, value in own.items() if value not in EMPTY and key != PROFILES}
        for each in check(content, SCHEMAS / "project.json"):
            yield Problem((PROFILES, name, *each.keys), each.what, each.hint)
        yield from _problems_of_images(content, (PROFILES, name))


def _problems_of_images(said: dict[str, Any], above: Keys) -> Iterator[Problem]:
    images = said.get("images")
    if images and said.get("image"):
        yield Problem((*above, "images"), "image stands there, too", "write one of them")
    if isinstance(images, list) and all(isinstance(each, str) for each in images):
        for each in image_matrix.problems_of(images):
            yield Problem((*above, *each.keys), each.what, each.hint)


def chosen(said: dict[str, Any], profile: str) -> dict[str, Any]:
    """Return the table's keys as they are with a profile.

    Args:
        said: the table.
        profile: the profile's name; empty for none.

    Raises:
        UsageError: there is no such profile.
    """
    if not profile:
        return said
    known = said.get(PROFILES) or {}
    if profile not in known:
        hint = nearest(profile, known) if known else f"write a table [tool.proving-ground.{PROFILES}.{profile}]"
        raise UsageError(f"unknown profile {profile!r}", where="--pg-profile", hint=hint)
    own = known[profile]
    kept = {key: value for key, value in said.items() if ALTERNATIVES.get(key) not in own}
    return {key: value for key, value in {**kept, **own}.items() if value not in EMPTY}


def lines_in(said: dict[str, Any], profile: str, lines: Lines) -> Lines:
    """Return ``lines`` for keys as they are with a profile: those that the profile has are in its table."""
    own = said.get(PROFILES, {}).get(profile, {})

    def line(keys: Keys) -> int | None:
        return lines((PROFILES, profile, *keys) if keys and keys[0] in own else keys)

    return line
