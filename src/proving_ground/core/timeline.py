"""Write a run's events with their times to disk; the file survives a crash, and every process of a run may write."""

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
    """The events of one run, one JSON object per line.

    Attributes:
        path: the file; the first event creates it.
    """

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> Timeline:
        """Return the timeline of the run with these settings: ``timeline.jsonl`` in its artifacts."""
        return cls(settings.artifacts / "timeline.jsonl")

    def note(self, kind: str, **facts: Any) -> None:
        """Append one event; a failed write is ignored, since a full disk must not end the run here.

        Args:
            kind: ``begin``, ``phase``, ``task``, ``cause``, or a name that the project chooses.
            facts: values that JSON can hold; the method removes secrets from every text.
        """
        line = json.dumps(_scrubbed({"kind": kind, **facts}), ensure_ascii=False, default=str) + "\n"
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One unbuffered write in append mode: lines of several processes do not mix.
            with self.path.open("ab", buffering=0) as file:
                file.write(line.encode())

    def read(self) -> list[dict[str, Any]]:
        """Return all events in the order of the file, without a line that a crash has cut off."""
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
