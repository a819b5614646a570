"""Run a command line for testinfra with a deadline; what the command has started here ends with it."""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial

from proving_ground.core.errors import MachineError
from proving_ground.process.processes import end, in_session, process_of

SECONDS = 120.0
"""For one command, unless the test gives another deadline; the longest usual one takes a tenth of it."""


def run_in_time(line: bytes, *, what: str, where: str, seconds: float) -> tuple[int, bytes, bytes]:
    """Run a command line of the shell.

    Args:
        line: what the shell runs.
        what: the command as errors name it.
        where: the machine's name.
        seconds: then it is ended, with all that it has started here.

    Returns:
        exit status, standard output, standard error.

    Raises:
        MachineError: it did not end in time.
    """
    # Files and no pipes: a shared connection that outlives the command keeps them open.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            line, shell=True, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
        )
        session = process_of(process.pid)
        try:
            code = process.wait(seconds)
        except BaseException as interruption:
            end(partial(in_session, session), grace=0)
            process.wait(5)
            if isinstance(interruption, subprocess.TimeoutExpired):
                text = f"`{what}` did not end within {seconds:.0f} s"
                hint = "look whether the machine answers, or give this command `timeout=`"
                raise MachineError(text, where=where, hint=hint) from None
            raise
        stdout.seek(0)
        stderr.seek(0)
        return code, stdout.read(), stderr.read()
