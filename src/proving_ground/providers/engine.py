"""The interface of container engines, by their clients: what Docker and Podman answer alike."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.settings import client
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import commands

LABEL = "proving-ground.checkout"
"""Label of all our containers, networks and volumes; its value is ``Settings.checkout_id``."""

CLIENT_SECONDS = 60.0
"""Time-out for the client to report whether the engine answers."""


class Engine:
    """A container engine.

    Args:
        address: a host of the engine, or the name of the client's context; empty where the client goes by itself.

    Attributes:
        program: the name of its client.
        title: its name in errors.
        probe: arguments of the client that succeed only if the engine can be used.
        version: arguments of the client that print the versions of engine and kernel.
        start_arguments: further arguments with which every container starts.
        network_filters: further arguments that list only networks that are this engine's alone.
    """

    program: ClassVar[str]
    title: ClassVar[str]
    probe: ClassVar[tuple[str, ...]]
    version: ClassVar[tuple[str, ...]]
    start_arguments: ClassVar[tuple[str, ...]] = ()
    network_filters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, address: str = "") -> None:
        self.address = address

    @property
    def client(self) -> tuple[str, ...]:
        """The client, with the arguments that lead it to this engine."""
        return client(self.program, self.address)

    def run(self, *arguments: str, log: Path | None = None, timeout: float = 60) -> str:
        """Run the client and return its output; ``timeout`` in seconds.

        Raises:
            MachineError: it failed.
        """
        return commands.run(
            [*self.client, *arguments], error=MachineError, where=self.program, timeout=timeout, log=log
        )

    def ensure_running(self, progress: Progress, timeouts: Timeouts = USUAL) -> None:
        """Find a running engine, or start one where that is possible; raises PreflightError."""
        raise NotImplementedError

    def stop_ours(self) -> bool:
        """Stop the engine that :meth:`ensure_running` has started; return whether there was one."""
        return False

    def refusal(self) -> str | None:
        """Return what the client says about an engine that cannot be used; None if it can.

        Raises:
            PreflightError: the client says nothing in time.
        """
        done = self.answer(*self.probe)
        return None if done.returncode == 0 else done.stderr

    def answer(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the client, which may fail; raises PreflightError if it does not end in time."""
        command = [*self.client, *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=CLIENT_SECONDS)
        except subprocess.TimeoutExpired as late:
            text = f"{self.title} neither answers nor refuses within {CLIENT_SECONDS:.0f} s"
            raise PreflightError(text, where=self.program, hint="look whether it is frozen; restart it") from late

    def ensure_network(
        self, name: str, subnet: str, labels: Iterable[str], log: Path, driver: Sequence[str] = ()
    ) -> None:
        """Create the machines' network with these labels, unless it exists; ``driver`` has arguments that choose it."""
        if name not in self.run("network", "ls", "--format", "{{.Name}}", log=log).split():
            words = (f"--label={label}" for label in labels)
            self.run("network", "create", *driver, "--subnet", subnet, *words, name, log=log)

    def leftovers(self, checkout: str) -> tuple[list[str], list[str], list[str]]:
        """Return containers (ids), networks and volumes (names) with this checkout's label; none without an engine."""
        if shutil.which(self.program) is None:
            return [], [], []
        mine = ("--filter", f"label={LABEL}={checkout}")
        with ThreadPoolExecutor() as pool:
            networks = pool.submit(self.run, "network", "ls", *mine, *self.network_filters, "--format", "{{.Name}}")
            volumes = pool.submit(self.run, "volume", "ls", "--quiet", *mine)
            try:
                return self.containers_of(checkout), networks.result().split(), volumes.result().split()
            except MachineError:
                if self.refusal() is None:
                    raise
                return [], [], []

    def containers_of(self, checkout: str) -> list[str]:
        """Return the ids of the containers with this checkout's label, running or not; raises MachineError."""
        return self.run("ps", "--all", "--quiet", "--filter", f"label={LABEL}={checkout}").split()

    def remove_leftovers(self, checkout: str, log: Path | None = None) -> int:
        """Remove containers, networks and volumes of this checkout; return how many there were.

        Raises:
            MachineError: something could not be removed.
        """
        containers, networks, volumes = self.leftovers(checkout)
        count = len(containers) + len(networks) + len(volumes)

        def remove_containers() -> None:
            if not containers:
                return
            try:
                self.run("rm", "--force", "--volumes", *containers, log=log, timeout=120)
            except MachineError as error:
                if "already in progress" not in error.what:
                    raise
                containers[:] = self.containers_of(checkout)
                raise NotReady(error.what) from error  # the engine goes on with the removal of an interrupted client

        if containers:
            try:
                wait_until("containers have been removed", remove_containers, timeout=60, interval=0.2)
            except WaitTimeoutError as error:
                raise MachineError(str(error), where=self.program, log=log) from error
        for network in networks:
            self.run("network", "rm", network, log=log)
        if volumes:
            self.run("volume", "rm", *volumes, log=log)
        return count
