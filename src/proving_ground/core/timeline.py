"""Keep on disk what happens in a run, and when; it survives a crash, and every process of a run may write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proving_ground.core.redact import redact
from proving_ground.core.settings import Settings


@dataclass(frozen=True)
class Timeline:
    """The notes of one run, one JSON object a line.

    Attributes:
        path: the file; it is there as soon as something was noted.
    """

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> Timeline:
        """That of the run with these settings: ``timeline.jsonl`` in its artifacts."""
        return cls(settings.artifacts / "timeline.jsonl")

    def note(self, kind: str, **facts: Any) -> None:
        """Add one line; a disk that takes none is no reason to end a run, and so no error.

        Args:
            kind: what is told of: ``begin``, ``phase``, ``task``, ``cause``, or a word of the project's own.
            facts: what JSON can hold; secrets are taken out of every text.
        """
        line = json.dumps(_scrubbed({"kind": kind, **facts}), ensure_ascii=False, default=str) + "\n"
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # In one write, at the end: lines of several processes do not mix.
            with self.path.open("ab", buffering=0) as file:
                file.write(line.encode())

    def read(self) -> list[dict[str, Any]]:
        """All notes in the order in which they were written; a line that a crash has cut off is left out."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return [note for note in found if isinstance(note, dict)]


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _scrubbed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(each) for each in value]
    return value
