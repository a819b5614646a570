"""Run testinfra's commands in a container by the engine's exec, with a deadline."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult

from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.machines.deadline import SECONDS, run_in_time

REFUSALS = (
    b"Error response from daemon:",  # Docker
    b"Error: can only create exec sessions on running containers",  # Podman, and the next
    b"Error: no container with name or ID",
    b"Error: no such container",
)
"""How the clients' own errors begin, in contrast to those of a command in the container."""


class DeadlineExec(BaseBackend):  # type: ignore[misc] # testinfra is not looked into for types
    """Runs commands as root in a container; ``host.run(command, timeout=300)`` has its own deadline, in seconds.

    What the command has started in the container may go on there: only the engine's client is ended.

    Args:
        name: the machine's name.
        container: its container's name.
        client: the engine's client that reaches it, with its arguments.

    Attributes:
        timeouts: of the machine.
    """

    NAME = "proving-ground-exec"
    timeouts: Timeouts = USUAL

    def __init__(self, name: str, container: str, client: Sequence[str]) -> None:
        super().__init__(name)
        self._name, self._container, self._client = name, container, client

    def get_hostname(self) -> str:
        """The machine's name, as testinfra puts it into the names of tests."""
        return self._name

    def run(self, command: str, *args: str, timeout: float = SECONDS, **kwargs: Any) -> CommandResult:  # noqa: ARG002
        """Run a command; ``args`` are quoted into its ``%s``.

        Raises:
            MachineError: it did not end within ``timeout``; names host, command and seconds.
            RuntimeError: the container does not run.
        """
        words = self.get_command(command, *args)
        line = shlex.join([*self._client, "exec", self._container, "/bin/sh", "-c", words])
        seconds = self.timeouts.seconds(timeout)
        code, stdout, stderr = run_in_time(line.encode(), what=words, where=self._name, seconds=seconds)
        if code and stderr.startswith(REFUSALS):
            raise RuntimeError(f"{self._name}: {stderr.decode(errors='replace').strip()}")
        return self.result(code, self.encode(words), stdout, stderr)
