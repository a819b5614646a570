"""Give testinfra's ssh a deadline, so that a machine that does not answer fails one test and delays no other."""

from __future__ import annotations

from typing import Any

from testinfra.backend.base import CommandResult
from testinfra.backend.ssh import SshBackend

from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.machines.deadline import SECONDS, run_in_time


class DeadlineSsh(SshBackend):  # type: ignore[misc] # testinfra is not looked into for types
    """Runs commands by ssh; ``host.run(command, timeout=300)`` has its own deadline, in seconds of the usual speed.

    A time-out ends only ssh: processes that the command has started on the machine may go on there.

    Attributes:
        timeouts: of the machine.
    """

    timeouts: Timeouts = USUAL

    def run(self, command: str, *args: str, timeout: float = SECONDS, **kwargs: Any) -> CommandResult:  # noqa: ARG002
        """Run a command; each ``%s`` in it is replaced by one of ``args``, quoted.

        Raises:
            MachineError: the command did not end within ``timeout``; names host, command and seconds.
            RuntimeError: ssh itself failed.
        """
        words = self.quote(command, *args)
        shell, arguments = self._build_ssh_command(self.get_command(words))
        line = self.encode(self.quote(" ".join(shell), *arguments))
        seconds = self.timeouts.seconds(timeout)
        code, stdout, stderr = run_in_time(line, what=words, where=self.host.name, seconds=seconds)
        result = self.result(code, self.encode(words), stdout, stderr)
        if result.rc == 255:  # as of testinfra's own: ssh's word for its own failure
            raise RuntimeError(result)
        return result
