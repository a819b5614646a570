"""What a scenario becomes: settings, files to write, and what could not be carried over. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from proving_ground.cli.migrate.scenario import STATE, Scenario
from proving_ground.core.problems import Keys, dotted


@dataclass(frozen=True)
class Loss:
    """Something of a scenario that is not carried over.

    Attributes:
        place: file and line.
        key: the key's path, such as ``platforms[0].devices``.
        reason: why.
        advice: what to do about it.
    """

    place: str
    key: str
    reason: str
    advice: str

    def __str__(self) -> str:
        return f"{self.place}: {self.key}: {self.reason} — {self.advice}"


@dataclass
class Translation:
    """The equivalent of one scenario.

    Attributes:
        scenario: what is translated.
        settings: keys of ``[tool.proving-ground]``, or of a profile.
        files: path relative to the project → content of a file to write.
        losses: what is not carried over.
    """

    scenario: Scenario
    settings: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def lose(self, keys: Keys, reason: str, advice: str) -> None:
        """Note that a key is not carried over."""
        self.losses.append(Loss(self.scenario.place(keys), dotted(keys), reason, advice))

    def note(self, place: str, key: str, reason: str, advice: str) -> None:
        """Note the same of something that is no key."""
        self.losses.append(Loss(place, key, reason, advice))

    def portable(self, text: str) -> str:
        """Return a text in which paths of this project do not depend on where the project lies."""
        root = str(self.scenario.root)
        return text.replace(f"{root}/{STATE}", "{state}").replace(root, "{root}")


def without_nulls(value: Any) -> Any:
    """Return a value for TOML.

    Raises:
        ValueError: it holds something that TOML has no word for: null, or a key that is no text.
    """
    if value is None:
        raise ValueError("TOML has no null")
    if isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"TOML has no key {odd[0]!r} that is no text")
        return {key: without_nulls(each) for key, each in value.items()}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value
