"""Repeat the machines of a plan for each image of ``images``, with names and groups that say which image. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from proving_ground.core.kinds import Kinds, groups_of, number
from proving_ground.core.problems import Problem

VARIABLE = "image_group"
"""The Ansible variable of each machine with the name of its image's group."""

LONGEST = 40
"""The most characters of an image's name that are part of a machine's."""


def short_names(images: Sequence[str]) -> dict[str, str]:
    """Return a name for each image that can be part of a machine's: ``debian:12`` is ``debian-12``.

    It is the last part of the image's name with its tag; with registry and namespace where that is the same for two.
    """
    brief = {image: _short(image.rpartition("/")[2]) for image in images}
    taken = list(brief.values())
    return {image: name if taken.count(name) == 1 else _short(image) for image, name in brief.items()}


def image_groups(images: Sequence[str]) -> tuple[str, ...]:
    """Return the group of each image's machines, in the order of the images: ``image_debian_12``."""
    return tuple(_group(name) for name in short_names(images).values())


def problems_of(images: Sequence[str]) -> Iterator[Problem]:
    """Yield the problems with a list of images."""
    found: dict[str, str] = {}
    for index, image in enumerate(images):
        if image in images[:index]:
            yield Problem(("images", index), f"{image} is there twice", "drop one")
            continue
        name = short_names(images)[image]
        if name in found:
            yield Problem(("images", index), f"{image} and {found[name]} would be called {name}", "tag one anew")
        found[name] = image


def repeated(kinds: Kinds, images: Sequence[str]) -> Kinds:
    """Return the kinds of machines, once for each image.

    Machines of the only kind are called as their image, those of several kinds as image and kind. Each is in the groups
    of its kind and in that of its image, so that a set of machines finds its own in a group.
    """
    groups, found = groups_of(kinds), dict[str, dict[str, Any]]()
    for position, (image, short) in enumerate(short_names(images).items()):
        for kind, entry in kinds.items():
            alone = len(kinds) == 1
            own = _group(short)
            each = {
                **entry,
                "image": entry.get("image", image),
                "groups": [*groups[kind], own],
                "numbered": number(entry) > 1 if alone else entry.get("numbered", True),
                "variables": {VARIABLE: own, **(entry.get("variables") or {})},
            }
            if position:
                each.pop("octet", None)  # the first set has it; the others get free addresses
            found[short if alone else f"{short}-{kind}"] = each
    return found


def _group(short: str) -> str:
    return f"image_{short.replace('-', '_')}"


def _short(image: str) -> str:
    name = re.sub(r"@sha256:|:latest$|\.tar(\.\w+)?$", " ", image).strip().lower()
    words = re.sub(r"[^a-z0-9]+", "-", name)[:LONGEST].strip("-")
    return words if words[:1].isalpha() else f"image-{words}"
