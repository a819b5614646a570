"""Find processes by a mark, by their session or by recorded identity, and end them.

Never by a name or a command line: those of others may look the same. psutil refuses to signal a process whose number
has been given to another one since it was found. It is loaded when it is needed: who only collects tests pays nothing.
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
"""By how much two readings of one creation time may differ: it is told in terms of the host's clock, which is adjusted.
A number is not given to another process that soon: all other numbers come first."""


def carrying(variable: str, value: str, *, whole: bool = True) -> list[psutil.Process]:
    """Living processes whose environment has ``variable`` set to ``value``; not our own.

    Args:
        variable: its name.
        value: what it is set to.
        whole: whether the value is all of it, or how it begins.
    """
    import psutil

    found = []
    for process in _all():
        with suppress(psutil.Error):  # it has ended, or is somebody else's
            said = process.environ().get(variable, "")
            if said == value or (not whole and said.startswith(value)):
                found.append(process)
    return [process for process in found if process.pid != os.getpid()]


def in_session(leader: psutil.Process) -> list[psutil.Process]:
    """Living processes of the session that ``leader`` has made for itself, even when it has ended."""
    import psutil

    if psutil.pid_exists(leader.pid) and not leader.is_running():
        return []  # its number is another's; it is given away only when nobody is left in the session
    found = []
    for process in _all():
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == leader.pid and is_alive(process):
                found.append(process)
    return found


def _all() -> Iterator[psutil.Process]:
    """All processes as they are now.

    psutil's ``process_iter`` keeps them from the last time: a process that has got a number since is taken for the one
    before, and then left out once.
    """
    import psutil

    for pid in psutil.pids():
        with suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and that its parent has not asked for yet does not."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(find: Callable[[], list[psutil.Process]], *, grace: float) -> int:
    """End processes and wait until they are gone; returns how many there were.

    psutil's own ``wait_procs`` does not fit: it takes the exit status of our children away from whoever has started
    them, and takes what has ended for alive until a container's first process asks for it, which may be seconds.

    Args:
        find: the living ones among them; asked again, since they may start others meanwhile.
        grace: seconds between asking them to end and killing them; 0 kills at once.
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
    """The process that has this number now, and stays it whoever gets the number later."""
    import psutil

    return psutil.Process(pid)


def _none(processes: list[psutil.Process]) -> None:
    if processes:
        raise NotReady(f"there are {[process.pid for process in processes]}")


def record(path: Path, pid: int) -> None:
    """Write which process ``pid`` is now: its number and when it was created (seconds since 1970)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "created": process_of(pid).create_time()}) + "\n", encoding="ascii")


def recorded(path: Path) -> psutil.Process | None:
    """The process that :func:`record` has written down, if it lives; None as well where nothing legible is written."""
    import psutil

    try:
        content = json.loads(path.read_text(encoding="ascii"))
        process = psutil.Process(int(content["pid"]))
        same = abs(process.create_time() - float(content["created"])) <= CLOCK_SECONDS
    except (OSError, ValueError, TypeError, LookupError, psutil.NoSuchProcess):
        return None
    return process if same and is_alive(process) else None
