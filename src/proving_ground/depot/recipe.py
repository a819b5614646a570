"""The recipe (depot/depot.yml): components, what they are made of, and the keys of their content. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from proving_ground.core.errors import DepotError, not_yaml

BUILDER_VERSION = "1"
"""Part of every key: raise it when a builder makes something else of the same recipe."""

BUILDS = ("go", "debian", "pip", "image", "box")


@dataclass(frozen=True)
class Component:
    """One entry of the recipe.

    Attributes:
        name: unique; also the name of its directory in the cache.
        build: the builder, one of ``BUILDS``.
        settings: the entry as it is written.
    """

    name: str
    build: str
    settings: Mapping[str, Any]

    @property
    def directory(self) -> str | None:
        """Its directory under depot/, whose files belong to its key."""
        return self.settings.get("directory")

    @property
    def version(self) -> str | None:
        """Version of the software, where it has one of its own."""
        return self.settings.get("version")

    @property
    def provider(self) -> str | None:
        """The one provider of machines that needs it, or None: then every node does."""
        return self.settings.get("provider")

    @property
    def disk(self) -> int:
        """MiB that building it may take."""
        return int(self.settings.get("disk", 0))

    @property
    def image(self) -> str | None:
        """Name of the pod image it makes."""
        return self.settings.get("image") if self.build == "image" else None

    @property
    def view(self) -> dict[str, str]:
        """Path in the view → file of the entry."""
        if self.image:
            return {f"images/{self.image}.tar": "image.tar"}
        return dict(self.settings.get("view", {}))

    @property
    def links(self) -> dict[str, str]:
        """Path in the view → target of a relative symbolic link."""
        return dict(self.settings.get("links", {}))

    @property
    def references(self) -> list[str]:
        """Files of other components it is made of, as ``component/file``."""
        found = [*self.settings.get("insert", {}).values(), *self.settings.get("parts", {}).values()]
        for layer in self.settings.get("layers", []):
            found += [layer["tree"]] if "tree" in layer else []
            found += list(layer.get("files", {}).values())
        return found

    @property
    def inputs(self) -> tuple[str, ...]:
        """Components it is made of."""
        return tuple(sorted({reference.split("/", 1)[0] for reference in self.references}))


Recipe = Mapping[str, Component]


def parse(text: str, where: str = "depot.yml") -> Recipe:
    """Read a recipe; components keep their order.

    Raises:
        DepotError: it is no YAML mapping, or names an unknown builder or an input that does not come before.
    """
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise DepotError(not_yaml(error), where=where) from error
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise DepotError("it has to be a mapping of components", where=where)
    recipe: dict[str, Component] = {}
    for name, entry in content.items():
        component = Component(name, str(entry.get("build")), entry)
        if component.build not in BUILDS:
            raise DepotError(f"build: {component.build} is none of {', '.join(BUILDS)}", where=f"{where}, {name}")
        # Inputs first: so the order of the file is an order to build in, and there are no cycles.
        if missing := [needed for needed in component.inputs if needed not in recipe]:
            raise DepotError(f"{missing[0]} has to come before it", where=f"{where}, {name}")
        recipe[name] = component
    return recipe


def keys(recipe: Recipe, contents: Mapping[str, str], architecture: str) -> dict[str, str]:
    """The content key of each component: what it is written as, the files it has, and the keys of what it is made of.

    Args:
        recipe: all components.
        contents: directory of a component → hash of the files in it.
        architecture: what is built for, in Go's words.
    """
    result: dict[str, str] = {}
    for name, component in recipe.items():
        # Where it goes in the view and what it costs are no part of what is built.
        entry = {word: value for word, value in component.settings.items() if word not in ("view", "links", "disk")}
        parts = [
            BUILDER_VERSION,
            architecture,
            name,
            entry,
            contents[component.directory] if component.directory else None,
            {needed: result[needed] for needed in component.inputs},
        ]
        result[name] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]
    return result


def select(recipe: Recipe, only: list[str]) -> Recipe:
    """The components that ``only`` names, by name or by directory of the view (``bin``, ``images``), and their inputs.

    Raises:
        DepotError: a word names nothing.
    """
    chosen: set[str] = set()
    for word in only:
        matches = {
            name
            for name, component in recipe.items()
            if name == word or any(path.split("/", 1)[0] == word for path in component.view)
        }
        if not matches:
            raise DepotError(f"nothing in the recipe is called {word}", where="depot.yml")
        chosen |= matches
    for name in reversed(list(recipe)):
        if name in chosen:
            chosen |= set(recipe[name].inputs)
    return {name: component for name, component in recipe.items() if name in chosen}
