"""What xdist's controller hands over to each worker when it starts it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proving_ground.plugin.xdist.shared_state import Shared

HANDED = "proving_ground"
"""It goes by this name among a worker's input."""


def handed_over(run_id: str, shared: Shared) -> dict[str, str]:
    """What a worker has to know: the run that it belongs to, and where the run's processes share what they know."""
    return {"run_id": run_id, "directory": str(shared.directory)}


def shared_from(handed: Mapping[str, str]) -> Shared | None:
    """In a worker: what it shares with the rest of its run; None in a process that was handed nothing."""
    return Shared(Path(handed["directory"])) if handed else None
