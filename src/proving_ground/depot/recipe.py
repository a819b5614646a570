"""The recipe (depot/depot.yml): components, what they are made of, and the keys of their content. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from proving_ground.core.documents import read_yaml
from proving_ground.core.errors import DepotError, not_yaml
from proving_ground.core.lines import yaml_lines
from proving_ground.core.problems import Problem, nearest, refusal
from proving_ground.core.schema import check

BUILDER_VERSION = "1"
"""Part of every key: raise it when a builder makes something else of the same recipe."""

SCHEMA = Path(__file__).parent / "recipe.json"
"""What every builder needs."""


@dataclass(frozen=True)
class Component:
    """One entry of the recipe.

    Attributes:
        name: unique; also the name of its directory in the cache.
        build: the builder: go, debian, pip, image or box.
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

    Args:
        text: the recipe's.
        where: its file, as errors name it.

    Raises:
        DepotError: it is no YAML, a component is not what its builder needs, or an input does not come before it.
    """
    try:
        content = read_yaml(text)
    except yaml.YAMLError as error:
        raise DepotError(not_yaml(error), where=where) from error
    problems = check(content, SCHEMA)
    recipe: dict[str, Component] = {}
    for name, entry in content.items() if isinstance(content, dict) else ():
        component = recipe[name] = Component(name, str(entry.get("build")) if isinstance(entry, dict) else "", entry)
        problems += _order(component, recipe)
    if problems:
        raise refusal(DepotError, where, problems, yaml_lines(text))
    return recipe


def _order(component: Component, recipe: Recipe) -> Iterator[Problem]:
    """Inputs that do not come first: an order of the file that is one to build in shows that there are no cycles."""
    try:
        missing = [name for name in component.inputs if name not in recipe or name == component.name]
    except (AttributeError, TypeError):  # the schema has told what is wrong with it
        return
    for name in missing:
        yield Problem((component.name,), f"{name} has to come before it", "move one of them, or correct the name")


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
            raise DepotError(f"nothing in the recipe is called {word}", where="depot.yml", hint=nearest(word, recipe))
        chosen |= matches
    for name in reversed(list(recipe)):
        if name in chosen:
            chosen |= set(recipe[name].inputs)
    return {name: component for name, component in recipe.items() if name in chosen}
