"""Check the host before the run creates anything; an error names in one line what is missing or in the way."""

from __future__ import annotations

import shutil
import socket
from functools import partial

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.polling import NotReady
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.machines.vagrant import check_installed
from proving_ground.process.programs import not_installed
from proving_ground.process.services import cache_directory
from proving_ground.providers import registry

DISK_NEEDED = 4 * 2**30
"""Bytes that machines may write in one run: images, logs, data."""


def check(settings: Settings, progress: Progress) -> None:
    """Check what this host needs to create machines, except their network (``networks.reserved``).

    Raises:
        PreflightError: something is missing or in the way.
    """
    check_installed()
    for program in ("ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            raise not_installed(program)
    check_disk()
    provider = registry.of(settings)
    provider.ensure_running(progress)
    provider.remove_leftovers()


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
    """Check that every existing machine answers on its SSH port.

    Raises:
        MachineError: names every machine that does not answer.
    """
    registry.of(settings).ensure_running(progress)

    def answers(node: Node) -> None:
        try:
            socket.create_connection((str(node.address), 22), timeout=2).close()
        except OSError as error:
            raise NotReady(str(error)) from error

    probes = {f"{node.name} ({node.address}) answers on port 22": partial(answers, node) for node in topology.nodes}
    silent = timeouts.wait_for_all(probes, timeout=timeout)
    if silent:
        raise MachineError("; ".join(silent), where="unreachable", hint="run `proving-ground destroy` and start again")
