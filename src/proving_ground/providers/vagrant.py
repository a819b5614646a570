"""The base of Vagrant's providers: Vagrant creates the machines, ssh reaches them."""

from __future__ import annotations

import shutil
import socket
from functools import partial
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady
from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.timeouts import EMULATED, Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.machines.ssh import await_logins, close_connections, make_key_pair, write_ssh_config
from proving_ground.machines.vagrant import Vagrant, check_installed
from proving_ground.process.programs import not_installed
from proving_ground.providers.base import Provider


class VagrantProvider(Provider):
    """A provider of Vagrant's, as far as Vagrant's own commands suffice."""

    def check(self) -> None:
        """Check that Vagrant and ssh are installed."""
        check_installed()
        for program in ("ssh", "ssh-keygen"):
            if shutil.which(program) is None:
                raise not_installed(program)

    def create(self, topology: Topology, view: View, progress: Progress, log: Path, checkpoint: str | None) -> float:  # noqa: ARG002
        """Have Vagrant make the machines; write ``ssh.config``."""
        settings = self.settings
        vagrant = Vagrant(settings, progress)
        key = make_key_pair(settings)
        content: dict[str, Any] = {
            "run_id": settings.run_id,
            "machines": [node.facts for node in topology.nodes],
            "user": settings.project.user,
            "checkout": named(settings.checkout_id),
            **self.prepare(topology, view, key, progress, vagrant.log),
        }
        if checkpoint is not None:
            with progress.step("checkpoint back"):
                content |= self.restore(checkpoint, topology, view, progress, vagrant.log)
        vagrant.write_run(content)
        factor = max(EMULATED if content.get("kvm") is False else 1.0, settings.timeout_factor)
        with progress.step("vagrant up"):
            vagrant.up()
            write_ssh_config(settings, topology)
            await_logins(settings, topology, Timeouts(factor))
        return factor

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:  # noqa: ARG002
        """Prepare the host before the call of Vagrant.

        Args:
            topology: the machines.
            view: the depot's view for them.
            key: the public key that opens them.
            progress: receives a line for each slow step.
            log: receives the output of programs.

        Returns:
            what the Vagrantfile reads.

        Raises:
            MachineError: something failed.
        """
        return {"folders": {self.settings.project.depot_path: str(view.path.parent)}}

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Save by Vagrant's snapshots, of machines that are shut down; they start anew afterwards.

        What machines share with the host (the depot) cannot be saved while they run.
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
        """Restore machines from checkpoint ``key``: those that are there where ``in_place``, or else new ones.

        Returns:
            what the Vagrantfile reads about new machines.

        Raises:
            MachineError: something failed.
        """
        vagrant = Vagrant(self.settings, progress)
        close_connections(self.settings)
        self.power_off(vagrant, log)
        vagrant.restore(key)
        vagrant.up()
        return {}

    def restore_in_place(
        self, key: str, topology: Topology, view: View, progress: Progress, log: Path, timeouts: Timeouts
    ) -> None:
        """Restore machines that are there; wait for their logins."""
        self.restore(key, topology, view, progress, log)
        write_ssh_config(self.settings, topology)
        await_logins(self.settings, topology, timeouts)

    def power_off(self, vagrant: Vagrant, log: Path) -> None:  # noqa: ARG002
        """Switch all machines off as they are; raises MachineError."""
        vagrant.halt(force=True)

    def check_reachable(self, topology: Topology, timeouts: Timeouts, timeout: float) -> None:
        """Check that every machine answers on its ssh port."""

        def answers(node: Node) -> None:
            try:
                socket.create_connection((str(node.address), 22), timeout=2).close()
            except OSError as error:
                raise NotReady(str(error)) from error

        probes = {f"{node.name} ({node.address}) answers on port 22": partial(answers, node) for node in topology.nodes}
        silent = timeouts.wait_for_all(probes, timeout=timeout)
        if silent:
            hint = "run `proving-ground destroy` and start again"
            raise MachineError("; ".join(silent), where="unreachable", hint=hint)

    def disconnect(self) -> None:
        """Close the shared ssh connections."""
        close_connections(self.settings)

    def forget(self, key: str, log: Path) -> None:  # noqa: ARG002
        """Remove a snapshot from every machine that has it."""
        Vagrant(self.settings, Progress()).forget(key)
