"""Define what a provider does for a run; the base class uses Vagrant for nearly everything."""

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
    """Any provider of Vagrant, without special code.

    Args:
        settings: the run's settings.

    Attributes:
        in_place: whether the machines themselves store their checkpoints: saving restarts the machines, restoring
            needs the existing machines, and removing the machines removes their checkpoints.
    """

    in_place = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.checkout = settings.checkout_id

    def ensure_running(self, progress: Progress) -> None:
        """Find or start the service that runs machines; raises PreflightError."""

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:  # noqa: ARG002
        """Prepare the host before the call of Vagrant.

        Args:
            topology: the machines to create.
            view: the depot's view that they mount.
            key: the private key of the login; the public key is beside it.
            progress: receives a line for each slow step.
            log: file that receives the output of programs.

        Returns:
            values for the Vagrantfile.

        Raises:
            MachineError: something failed.
        """
        return {"folders": {self.settings.project.depot_path: str(view.path.parent)}}

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Save the state of all machines at the same moment as checkpoint ``key``.

        This shuts the machines down, takes Vagrant's snapshots, and starts the machines again: Vagrant cannot save
        running machines that share a folder (the depot) with the host.

        Returns:
            bytes on disk; with ``in_place``, those of the machines' disks with all checkpoints in them, or 0 if the
            provider does not know.

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
        """Restore checkpoint ``key``: with ``in_place`` the existing machines, else prepare new ones.

        Returns:
            values for the Vagrantfile of new machines.

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
        """Power all machines off; raises MachineError."""
        vagrant.halt(force=True)

    def forget(self, key: str, log: Path) -> None:  # noqa: ARG002
        """Remove checkpoint ``key``; raises MachineError."""
        Vagrant(self.settings, Progress()).forget(key)

    def remove_leftovers(self, log: Path | None = None) -> int:  # noqa: ARG002
        """Remove everything that this checkout has created, all at once; returns the number of objects."""
        return 0

    def has_leftovers(self) -> bool:
        """Return whether anything that this checkout has created still exists."""
        return False

    def clean(self) -> list[str]:
        """Remove boxes and stop services that the harness started for machines; returns a line for each."""
        return []
