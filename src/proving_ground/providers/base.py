"""What every provider of Vagrant's does for a run; the base class leaves nearly all of it to Vagrant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.machines.ssh import close_connections, write_ssh_config
from proving_ground.machines.vagrant import Vagrant


class Provider:
    """A provider that nothing is known of: all of it is Vagrant's business.

    Args:
        settings: the run's settings.

    Attributes:
        in_place: whether what is saved lies in the machines: it comes back in their place, they start anew when it is
            saved, and it is gone with them.
    """

    in_place = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.checkout = settings.checkout_id

    def ensure_running(self, progress: Progress) -> None:
        """Find what runs machines, or start it; raises PreflightError."""

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:  # noqa: ARG002
        """Do what has to be done before Vagrant is called.

        Args:
            topology: the machines to be.
            view: what they are given.
            key: the public key that opens them.
            progress: told of what takes time.
            log: gets the output of programs.

        Returns:
            what the Vagrantfile is told.

        Raises:
            MachineError: something failed.
        """
        return {"folders": {self.settings.project.depot_path: str(view.path.parent)}}

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Save all machines as they are at one moment, to be known as ``key``.

        By Vagrant's snapshots, of machines that are shut down: what they share with the host (the depot) cannot be
        saved while they run. They start anew afterwards.

        Returns:
            bytes that it takes; where ``in_place``, those of the machines' disks with all that is saved in them, or 0
            when the provider does not tell.

        Raises:
            MachineError: something failed.
        """
        vagrant = Vagrant(self.settings, progress)
        close_connections(self.settings)
        vagrant.halt()
        try:
            vagrant.save(key)
        finally:
            vagrant.up()
        write_ssh_config(self.settings, topology)
        return 0

    def restore(
        self,
        key: str,
        topology: Topology,  # noqa: ARG002
        view: View,  # noqa: ARG002
        progress: Progress,
        log: Path,
    ) -> dict[str, Any]:
        """Have machines as those saved as ``key`` were: those that are there where ``in_place``, or else new ones.

        Returns:
            what the Vagrantfile is told of new machines.

        Raises:
            MachineError: something failed.
        """
        vagrant = Vagrant(self.settings, progress)
        close_connections(self.settings)
        self.power_off(vagrant, log)
        vagrant.restore(key)
        vagrant.up()
        return {}

    def power_off(self, vagrant: Vagrant, log: Path) -> None:  # noqa: ARG002
        """Switch all machines off as they are; raises MachineError."""
        vagrant.halt(force=True)

    def forget(self, key: str, log: Path) -> None:  # noqa: ARG002
        """Remove what was saved as ``key``; raises MachineError."""
        Vagrant(self.settings, Progress()).forget(key)

    def remove_leftovers(self, log: Path | None = None) -> int:  # noqa: ARG002
        """Remove what this checkout has made, all at once; returns how many things there were."""
        return 0

    def has_leftovers(self) -> bool:
        """Whether this checkout has made anything that is still there."""
        return False

    def clean(self) -> list[str]:
        """Remove what outlives machines, end what was started for them; says in words what."""
        return []
