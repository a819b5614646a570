"""Hold the chosen components: which are in the cache, and which have to be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proving_ground.depot.recipe import Component, Recipe
from proving_ground.depot.store import Entry


@dataclass
class Plan:
    """The chosen components and their entries in the cache.

    Attributes:
        recipe: the chosen components.
        keys: component → content key.
        entries: component → its entry; builds add missing ones.
        seconds: component → seconds that its build took.
    """

    recipe: Recipe
    keys: Mapping[str, str]
    entries: dict[str, Entry]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def missing(self) -> list[Component]:
        """The components to build, in the recipe's order."""
        return [component for name, component in self.recipe.items() if name not in self.entries]
