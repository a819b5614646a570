"""Give testinfra's ssh a deadline, so that a machine that does not answer fails one test and delays no other."""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from typing import Any

from testinfra.backend.base import CommandResult
from testinfra.backend.ssh import SshBackend

from proving_ground.core.errors import MachineError
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.processes import end, in_session, process_of

SECONDS = 120.0
"""Default time-out of one command; the longest usual command takes a tenth of it."""


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
        result = self._run_in_time(self.quote(" ".join(shell), *arguments), words, self.timeouts.seconds(timeout))
        if result.rc == 255:  # as in testinfra's own method: ssh's exit code for its own failure
            raise RuntimeError(result)
        return result

    def _run_in_time(self, line: str, words: str, seconds: float) -> CommandResult:
        # Files, not pipes: a shared connection that stays would keep pipes open.
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                self.encode(line),
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            session = process_of(process.pid)
            try:
                code = process.wait(seconds)
            except BaseException as interruption:
                end(partial(in_session, session), grace=0)
                process.wait(5)
                if isinstance(interruption, subprocess.TimeoutExpired):
                    text = f"`{words}` did not end within {seconds:.0f} s"
                    hint = "check whether the machine answers, or give this command `timeout=`"
                    raise MachineError(text, where=self.host.name, hint=hint) from None
                raise
            stdout.seek(0)
            stderr.seek(0)
            return self.result(code, self.encode(words), stdout.read(), stderr.read())
