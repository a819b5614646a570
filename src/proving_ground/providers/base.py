"""The interface of providers: create machines, reach them, save them, remove them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.host import networks


class Provider:
    """Creates, reaches, saves and removes the machines of one project.

    Args:
        settings: the run's settings.

    Attributes:
        in_place: whether the machines themselves hold their checkpoints: a save restarts the machines, a restore
            changes them, and their removal removes the checkpoints.
        needs_view: whether machines need the depot's view.
    """

    in_place = True
    needs_view = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.checkout = settings.checkout_id

    @property
    def content(self) -> str:
        """Identifies the image of the machines; empty if the depot's view identifies it."""
        return ""

    def check(self) -> None:
        """Check that this host has the programs that create machines; raises PreflightError."""

    def ensure_running(self, progress: Progress) -> None:
        """Find or start the service that runs machines; raises PreflightError."""

    def fetch(self, progress: Progress, log: Path) -> None:
        """Pull or build the image of the machines unless it is on this host; raises PreflightError."""

    def prepare_removal(self, progress: Progress) -> None:
        """Find or start the service by which machines are removed; raises PreflightError."""
        self.ensure_running(progress)

    def networks(self) -> list[tuple[str, IPv4Network]]:
        """Return device (or name) and destination of the networks that machines' own must not overlap."""
        return networks.of_this_host()

    def place(self, topology: Topology) -> Mapping[str, str]:  # noqa: ARG002
        """Choose for each machine one of several engines, before any is made; empty if there is one.

        Raises:
            UsageError: a machine cannot be on any of them.
            PreflightError: they are not engines of one swarm.
        """
        return {}

    def create(self, topology: Topology, view: View, progress: Progress, log: Path, checkpoint: str | None) -> float:
        """Create the machines and wait until each of them answers.

        Args:
            topology: the machines.
            view: the depot's view for them.
            progress: receives a line for each slow step.
            log: receives the output of programs.
            checkpoint: key of the checkpoint that they start from, or None for new ones.

        Returns:
            how many times slower than containers these machines are, 1 or more.

        Raises:
            MachineError: something failed.
        """
        raise NotImplementedError

    def restore_in_place(
        self, key: str, topology: Topology, view: View, progress: Progress, log: Path, timeouts: Timeouts
    ) -> None:
        """Restore machines that are there from checkpoint ``key``; only where ``in_place``. Raises MachineError."""
        raise NotImplementedError

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:
        """Save all machines as they are at one moment, as checkpoint ``key``.

        Returns:
            bytes on disk; with ``in_place``, those of the machines' disks with all checkpoints in them, or 0 if the
            provider does not know.

        Raises:
            MachineError: something failed.
        """
        raise NotImplementedError

    def check_reachable(self, topology: Topology, timeouts: Timeouts, timeout: float) -> None:
        """Check that every machine answers within ``timeout`` seconds; raises MachineError, which names the others."""
        raise NotImplementedError

    def connection(self, node: Node) -> dict[str, Any]:  # noqa: ARG002
        """Ansible variables by which it reaches ``node``."""
        return {}

    def disconnect(self) -> None:
        """Close the connections that are shared by all who use these machines."""

    def forget(self, key: str, log: Path) -> None:
        """Remove checkpoint ``key``; raises MachineError."""

    def remove_leftovers(self, log: Path | None = None) -> int:  # noqa: ARG002
        """Remove everything that this checkout has created, all at once; returns the number of objects."""
        return 0

    def has_leftovers(self) -> bool:
        """Return whether anything that this checkout has created still exists."""
        return False

    def clean(self) -> list[str]:
        """Remove what outlives machines, end what was started for them; returns a line for each."""
        return []
