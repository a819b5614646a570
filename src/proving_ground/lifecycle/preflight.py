"""Check the host before the run creates anything; an error names in one line what is missing or in the way."""

from __future__ import annotations

import shutil
from pathlib import Path

from proving_ground.ansible import mitogen
from proving_ground.core.errors import PreflightError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.process.services import cache_directory
from proving_ground.providers import registry

DISK_NEEDED = 4 * 2**30
"""Bytes that machines may write in one run: images, logs, data."""


def check(settings: Settings, progress: Progress, log: Path) -> None:
    """Check what this host needs to create machines, except their network (``networks.reserved``).

    Raises:
        PreflightError: something is missing or in the way.
    """
    provider = registry.of(settings)
    provider.check()
    check_disk()
    provider.ensure_running(progress)
    provider.fetch(progress, log)
    provider.remove_leftovers()
    if line := mitogen.notice(settings):
        progress.say(line)


def check_disk() -> None:
    """Raise PreflightError if the cache's disk has too little free space for machines."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < DISK_NEEDED:
        text = f"{free / 2**30:.1f} GiB of disk are free, {DISK_NEEDED / 2**30:.0f} GiB are needed"
        raise PreflightError(text, where=str(cache), hint="free some, or point XDG_CACHE_HOME elsewhere")


def check_reachable(
    settings: Settings, topology: Topology, progress: Progress, timeouts: Timeouts, timeout: float = 10
) -> None:
    """Check that every existing machine answers.

    Raises:
        MachineError: names every machine that does not answer.
    """
    provider = registry.of(settings)
    provider.ensure_running(progress)
    provider.check_reachable(topology, timeouts, timeout)
