"""Run the programs that build one component, with its directory and inputs; another thread can stop them."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from proving_ground.core.errors import DepotError
from proving_ground.depot.recipe import Component
from proving_ground.depot.store import Entry
from proving_ground.process.commands import last_words
from proving_ground.process.processes import end, in_session, process_of

if TYPE_CHECKING:
    import psutil

GRACE_SECONDS = 10.0
"""Time for a stopped program to clean up (mmdebstrap unmounts and removes its directory) before it is killed."""

PROGRAM_SECONDS = 4 * 3600.0
"""Time-out of one program of a build. The longest, Kubernetes with empty caches, takes a quarter of an hour on two busy
cores, and twelve times that on an emulated host."""

NO_NETWORK = re.compile(
    r"dial tcp|no such host|i/o timeout|TLS handshake timeout|proxyconnect|network is unreachable|"
    r"could not resolve|temporary failure (?:in name resolution|resolving)|failed to establish a new connection|"
    r"could not connect to|connection (?:refused|timed out|reset by peer)|unable to connect to|"
    r"module lookup disabled by GOPROXY=off|cannot initiate the connection|\(from versions: none\)",
    re.IGNORECASE,
)


PROGRESS = ("go: downloading ", "Get:", "I: ")


class Stopped(Exception):  # noqa: N818 - not an error: another component failed, or the user stopped the run
    """Another thread stopped the build."""


class Processes:
    """The running programs of builds; ``stop`` ends all of them and prevents new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[psutil.Process] = set()
        self._stopped = False

    def run(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdout: int, stderr: int) -> int:
        """Run a program to its end; return its exit code.

        Raises:
            Stopped: :meth:`stop` was called.
            subprocess.TimeoutExpired: the program did not end within :data:`PROGRAM_SECONDS`; this method ended it.
        """
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            session = process_of(process.pid)
            self._running.add(session)
        try:
            code = process.wait(PROGRAM_SECONDS)
        except subprocess.TimeoutExpired:
            end(partial(in_session, session), grace=GRACE_SECONDS)
            raise
        finally:
            with self._lock:
                self._running.discard(session)
        if self._stopped:
            raise Stopped
        return code

    def stop(self) -> None:
        """End all running programs: first with SIGTERM, then with SIGKILL."""
        with self._lock:
            self._stopped = True
            sessions = list(self._running)
        end(lambda: [process for session in sessions for process in in_session(session)], grace=GRACE_SECONDS)


@dataclass(frozen=True)
class Job:
    """The build of one component.

    Attributes:
        component: the component.
        directory: the component's own directory (or depot/, if it has none).
        module: the directory of its ``go.mod``, if that is another one.
        out: the temporary directory that becomes the entry.
        log: file that receives every command and its output.
        inputs: entries of the component's inputs.
        processes: runs its programs.
    """

    component: Component
    directory: Path
    out: Path
    log: Path
    inputs: Mapping[str, Entry]
    processes: Processes
    module: Path = Path()

    def input_file(self, reference: str) -> Path:
        """Return the host path of ``component/file``."""
        name, file = reference.split("/", 1)
        return self.inputs[name].file(file)

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdout: Path | None = None,
    ) -> None:
        """Run a program with its output in the log, or its standard output in the file ``stdout``.

        Raises:
            DepotError: the program failed; the error says so if the network was missing.
            Stopped: another thread stopped the build.
        """
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            start = log.tell()
            output = stdout.open("wb") if stdout else log
            try:
                code = self.processes.run(
                    command,
                    env={**os.environ, **(env or {})},
                    cwd=cwd or self.directory,
                    stdout=output.fileno(),
                    stderr=log.fileno(),
                )
            except subprocess.TimeoutExpired as late:
                text = f"{Path(command[0]).name} did not end within {late.timeout:.0f} s"
                raise DepotError(text, where=self.component.name, log=self.log) from late
            finally:
                if stdout:
                    output.close()
        if code != 0:
            with self.log.open("rb") as log:
                log.seek(start)
                raise self.failure(log.read().decode(errors="replace"), command[0])

    def failure(self, output: str, program: str) -> DepotError:
        """Return the error in a failed program's output."""
        name = self.component.name
        if NO_NETWORK.search(output):
            text = "it is not in the cache, and what it is built from could not be fetched"
            return DepotError(text, where=name, hint="connect to the network once and run again", log=self.log)
        # Lines about downloads are no cause, even if a package's name contains "errors".
        output = "\n".join(line for line in output.splitlines() if not line.startswith(PROGRESS))
        return DepotError(f"{Path(program).name} failed: {last_words(output)[:300]}", where=name, log=self.log)
