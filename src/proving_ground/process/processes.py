"""Find processes by an environment variable, by session or by a recorded identity, and end them.

It never searches by name or command line, since processes of other users or runs may have the same. psutil does not
signal a process whose PID the kernel has reused. Functions import psutil themselves: collecting tests does not load it.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until

if TYPE_CHECKING:
    import psutil

CLOCK_SECONDS = 2.0
"""The largest difference between two readings of one creation time, which changes when the host's clock is adjusted.
The kernel does not reuse a PID that soon: it uses all other PIDs first."""


def carrying(variable: str, value: str, *, whole: bool = True) -> list[psutil.Process]:
    """Return the running processes, without this one, whose environment sets ``variable`` to ``value``.

    Args:
        variable: its name.
        value: its value.
        whole: whether the variable has to equal ``value``; if not, it has to start with it.
    """
    import psutil

    found = []
    for process in _all():
        with suppress(psutil.Error):  # it has ended, or belongs to another user
            said = process.environ().get(variable, "")
            if said == value or (not whole and said.startswith(value)):
                found.append(process)
    return [process for process in found if process.pid != os.getpid()]


def in_session(leader: psutil.Process) -> list[psutil.Process]:
    """Return the running processes of the session that ``leader`` created, also after ``leader`` has ended."""
    import psutil

    if psutil.pid_exists(leader.pid) and not leader.is_running():
        return []  # another process has its PID; the kernel reuses a PID only when the session is empty
    found = []
    for process in _all():
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == leader.pid and is_alive(process):
                found.append(process)
    return found


def _all() -> Iterator[psutil.Process]:
    """Yield all current processes.

    psutil's ``process_iter`` caches processes: if a new process has reused a PID, it omits that process once.
    """
    import psutil

    for pid in psutil.pids():
        with suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def is_alive(process: psutil.Process) -> bool:
    """Return whether the process runs; a zombie, which its parent has not waited for yet, does not."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(find: Callable[[], list[psutil.Process]], *, grace: float) -> int:
    """End processes and wait until they are gone; returns how many there were.

    psutil's ``wait_procs`` does not fit: it reaps our children, so that the code that started them gets no exit status,
    and it counts zombies as running until a container's first process reaps them, which may take seconds.

    Args:
        find: returns the running ones; called repeatedly, since they may start other processes.
        grace: seconds between SIGTERM and SIGKILL; 0 kills at once.
    """
    found = find()
    for kind in (signal.SIGTERM, signal.SIGKILL) if grace else (signal.SIGKILL,):
        for process in find():
            send(process, kind)
        with suppress(WaitTimeoutError):
            wait_until("they have ended", lambda: _none(find()), timeout=grace or 5, interval=0.02)
            break
    return len(found)


def send(process: psutil.Process, kind: signal.Signals) -> None:
    """Send a signal, unless the process has ended."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        process.send_signal(kind)


def process_of(pid: int) -> psutil.Process:
    """Return the process that has this PID now; the object stays bound to it if the kernel reuses the PID."""
    import psutil

    return psutil.Process(pid)


def _none(processes: list[psutil.Process]) -> None:
    if processes:
        raise NotReady(f"there are {[process.pid for process in processes]}")


def record(path: Path, pid: int) -> None:
    """Write the PID and the creation time (seconds since 1970) of process ``pid`` to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "created": process_of(pid).create_time()}) + "\n", encoding="ascii")


def recorded(path: Path) -> psutil.Process | None:
    """Return the process that :func:`record` wrote, or None if it has ended or the file is missing or invalid."""
    import psutil

    try:
        content = json.loads(path.read_text(encoding="ascii"))
        process = psutil.Process(int(content["pid"]))
        same = abs(process.create_time() - float(content["created"])) <= CLOCK_SECONDS
    except (OSError, ValueError, TypeError, LookupError, psutil.NoSuchProcess):
        return None
    return process if same and is_alive(process) else None
