"""Collect a run's files in one folder: results, logs, and the files with which one reaches its machines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from proving_ground.core.settings import Settings
from proving_ground.plugin.under_fault import UNDER_FAULT

KEPT_RUNS = 20
"""Number of runs whose folders stay; older ones are removed."""

STATE_FILES = ("ssh.config", "inventory.yml")
"""Files that every run copies; a project names further files (``artifacts``)."""


def collect(settings: Settings) -> None:
    """Copy files of the state directory to the run's folder, point ``latest`` at it, remove the oldest runs.

    A run under a fault leaves this to the run that has put the fault in, which goes on.
    """
    if os.environ.get(UNDER_FAULT):
        return
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    for name in (*STATE_FILES, *settings.project.artifacts):
        source = settings.state_directory / name
        if source.exists():
            shutil.copy2(source, settings.artifacts / name)
    point_latest(settings.artifacts)
    runs = [path for path in settings.artifacts.parent.iterdir() if path.is_dir() and not path.is_symlink()]
    # By their ends: the runs under faults begin after the run that has put the faults in, and end before it.
    others = sorted((path for path in runs if path != settings.artifacts), key=lambda path: path.stat().st_mtime)
    for old in others[: max(0, len(runs) - KEPT_RUNS)]:
        shutil.rmtree(old, ignore_errors=True)


def point_latest(artifacts: Path) -> None:
    """Make ``artifacts/latest`` a link to this run's folder."""
    link = artifacts.parent / "latest"
    draft = artifacts.parent / f".latest-{artifacts.name}"
    draft.symlink_to(artifacts.name)
    draft.replace(link)
