"""Pass the run from xdist's controller to each worker that it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proving_ground.plugin.xdist.shared_state import Shared

HANDED = "proving_ground"
"""The key in ``workerinput``."""


def handed_over(run_id: str, shared: Shared) -> dict[str, str]:
    """Return the worker's input: the run's id, and the directory that the run's processes share."""
    return {"run_id": run_id, "directory": str(shared.directory)}


def shared_from(handed: Mapping[str, str]) -> Shared | None:
    """Return the state that a worker shares with its run; None without input from a controller."""
    return Shared(Path(handed["directory"])) if handed else None
