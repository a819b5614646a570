"""Compare what was asked for with the cache: what is there, and what has to be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proving_ground.depot.recipe import Component, Recipe
from proving_ground.depot.store import Entry


@dataclass
class Plan:
    """What is there and what has to be built.

    Attributes:
        recipe: the components asked for.
        keys: component → content key.
        entries: what is there, by component; completed while building.
        seconds: component → how long building it took.
    """

    recipe: Recipe
    keys: Mapping[str, str]
    entries: dict[str, Entry]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def missing(self) -> list[Component]:
        """Components to build, in the recipe's order."""
        return [component for name, component in self.recipe.items() if name not in self.entries]
