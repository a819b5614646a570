"""Read the recipe (depot/depot.yml): components, their inputs, and the keys of their content. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proving_ground.core.errors import DepotError
from proving_ground.core.lines import yaml_lines
from proving_ground.core.problems import Problem, nearest, refusal
from proving_ground.core.schema import check
from proving_ground.core.yaml_files import parsed
from proving_ground.depot import releases

BUILDER_VERSION = "1"
"""A part of every key: increase it if a builder makes other files from the same recipe."""

NOT_IN_KEYS = ("view", "links", "disk", "group")
"""Keys of a component that do not change the built files: paths in the view, disk space, and who asks for it."""

SCHEMA = Path(__file__).parent / "recipe.json"
"""The JSON Schema of a recipe: the keys that every builder needs."""


@dataclass(frozen=True)
class Component:
    """One entry of the recipe.

    Attributes:
        name: unique; also the name of its directory in the cache.
        build: the builder: go, debian, pip, image or box.
        settings: the component's entry in the recipe.
    """

    name: str
    build: str
    settings: Mapping[str, Any]

    @property
    def directory(self) -> str | None:
        """The component's directory under depot/; its files are part of the key."""
        return self.settings.get("directory")

    @property
    def module(self) -> str | None:
        """The directory under depot/ of the ``go.mod`` to build with, in place of the one in :attr:`directory`."""
        return self.settings.get("module")

    @property
    def directories(self) -> list[str]:
        """The directories under depot/ whose files are part of the key."""
        return [path for path in (self.directory, self.module) if path]

    @property
    def version(self) -> str | None:
        """The software's version, or None."""
        return self.settings.get("version")

    @property
    def provider(self) -> str | None:
        """The only provider that needs the component, or None if all nodes need it."""
        return self.settings.get("provider")

    @property
    def group(self) -> str | None:
        """The group that has to be chosen by its name for the component to be built; None for all others."""
        return self.settings.get("group")

    @property
    def disk(self) -> int:
        """MiB of disk that the build may take."""
        return int(self.settings.get("disk", 0))

    @property
    def image(self) -> str | None:
        """The name of the component's pod image, or None."""
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
        """Files of other components that the build uses, as ``component/file``."""
        found = [*self.settings.get("insert", {}).values(), *self.settings.get("parts", {}).values()]
        for layer in self.settings.get("layers", []):
            found += [layer["tree"]] if "tree" in layer else []
            found += list(layer.get("files", {}).values())
        return found

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the components that the build uses."""
        return tuple(sorted({reference.split("/", 1)[0] for reference in self.references}))


Recipe = Mapping[str, Component]


@dataclass(frozen=True)
class Source:
    """The text of a file, and its name in errors."""

    text: str
    where: str = "depot.yml"

    def content(self) -> Any:
        """Parse it; raises DepotError."""
        return parsed(self.text, self.where, DepotError)

    def refuse(self, problems: list[Problem]) -> None:
        """Raise DepotError if there are problems."""
        if problems:
            raise refusal(DepotError, self.where, problems, yaml_lines(self.text))


def parse(source: Source, release: Source | None = None) -> Recipe:
    """Read a recipe; components keep their order.

    Args:
        source: the recipe.
        release: completes components of the recipe, or replaces keys of them.

    Raises:
        DepotError: a text is not YAML, a component does not match the schema, or an input does not come before it.
    """
    content = source.content()
    chosen = release.content() if release is not None else None
    if release is not None:
        release.refuse(list(releases.problems(content, chosen)))
        content = releases.merged(content, chosen)
    problems = check(content, SCHEMA)
    recipe: dict[str, Component] = {}
    for name, entry in content.items() if isinstance(content, dict) else ():
        component = recipe[name] = Component(name, str(entry.get("build")) if isinstance(entry, dict) else "", entry)
        problems += _order(component, recipe)
    if release is not None:
        release.refuse([each for each in problems if releases.has_written(chosen, each.keys)])
    source.refuse(problems)
    return recipe


def _order(component: Component, recipe: Recipe) -> Iterator[Problem]:
    """Yield a problem for each input that does not come before its component; so the recipe has no cycles."""
    try:
        missing = [name for name in component.inputs if name not in recipe or name == component.name]
    except (AttributeError, TypeError):  # the schema has reported the problem already
        return
    for name in missing:
        yield Problem((component.name,), f"{name} has to come before it", "move one of them, or correct the name")


def keys(recipe: Recipe, contents: Mapping[str, str], architecture: str) -> dict[str, str]:
    """Return each component's content key: a hash of its entry, its files, and the keys of its inputs.

    Args:
        recipe: all components.
        contents: directory of a component → hash of its files.
        architecture: the target architecture as Go names it.
    """
    result: dict[str, str] = {}
    for name, component in recipe.items():
        entry = {word: value for word, value in component.settings.items() if word not in NOT_IN_KEYS}
        parts = [
            BUILDER_VERSION,
            architecture,
            name,
            entry,
            contents[component.directory] if component.directory else None,
            *([contents[component.module]] if component.module else []),
            {needed: result[needed] for needed in component.inputs},
        ]
        result[name] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]
    return result


def select(recipe: Recipe, only: list[str]) -> Recipe:
    """Return the components in ``only``, by name, group or directory of the view (``bin``), and their inputs.

    A directory of the view does not choose the components of a group.

    Raises:
        DepotError: a name is unknown.
    """
    chosen: set[str] = set()
    for word in only:
        matches = {
            name
            for name, component in recipe.items()
            if word in (name, component.group)
            or (component.group is None and any(path.split("/", 1)[0] == word for path in component.view))
        }
        if not matches:
            raise DepotError(f"nothing in the recipe is called {word}", where="depot.yml", hint=nearest(word, recipe))
        chosen |= matches
    for name in reversed(list(recipe)):
        if name in chosen:
            chosen |= set(recipe[name].inputs)
    return {name: component for name, component in recipe.items() if name in chosen}
