"""Start and end daemons on hosts without a service manager, with a log and a record of each process."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from proving_ground.core.errors import PreflightError
from proving_ground.core.polling import NotReady, WaitTimeoutError
from proving_ground.core.progress import Progress
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.processes import is_alive, record, recorded, send
from proving_ground.process.reaper import MARK, RUN

if TYPE_CHECKING:
    import psutil


def cache_directory() -> Path:
    """Return this user's cache directory (respects ``XDG_CACHE_HOME``)."""
    return platformdirs.user_cache_path("proving-ground")


def managed_by_systemd() -> bool:
    """Return whether systemd manages this host's services (``sd_booted(3)``)."""
    return Path("/run/systemd/system").exists()


def start(
    what: str,
    commands: Mapping[str, Sequence[str]],
    *,
    where: str,
    log: Path,
    refusal: Callable[[], str | None],
    progress: Progress,
    timeouts: Timeouts = USUAL,
) -> None:
    """Start daemons in sessions of their own, record their processes, and wait until they answer.

    Args:
        what: the service's name in messages.
        commands: daemon → its command line, in the order of the start; messages name the last one.
        where: the ``where`` of errors.
        log: file that receives their output.
        refusal: returns a client's error text if the service does not answer, else None.
        progress: receives a line about the start.
        timeouts: of this host.

    Raises:
        PreflightError: a daemon ended at once, or the service does not answer.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    main = list(commands)[-1]
    progress.say(f"no {what} is running and no service manager would start it: starting {main} (log: {log})")
    # They outlive the run: without the marks, the reaper does not find and end them.
    environment = {name: value for name, value in os.environ.items() if name not in {MARK, RUN}}
    with log.open("ab") as output:
        processes = {
            daemon: subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            for daemon, command in commands.items()
        }
    for daemon, process in processes.items():
        record(_record(daemon), process.pid)

    def answers() -> None:
        for daemon, process in processes.items():
            if process.poll() is not None:
                raise PreflightError(f"{daemon} ended at once", where=where, hint="read its log", log=log)
        if (words := refusal()) is not None:
            raise NotReady(words.strip().splitlines()[-1] if words.strip() else "no answer")

    try:
        timeouts.wait_until(f"{what} answers", answers, timeout=60, interval=0.2)
    except WaitTimeoutError as error:
        raise PreflightError(str(error), where=where, hint="read its log", log=log) from error


def running(daemons: Iterable[str]) -> dict[str, psutil.Process]:
    """Return those of the daemons that :func:`start` has started and that still run."""
    found = {daemon: recorded(_record(daemon)) for daemon in daemons}
    return {daemon: process for daemon, process in found.items() if process is not None}


def stop(processes: Mapping[str, psutil.Process]) -> None:
    """End these daemons and wait until they are gone; raises WaitTimeoutError if one stays."""
    for process in processes.values():
        send(process, signal.SIGTERM)
    await_end(processes)


def await_end(processes: Mapping[str, psutil.Process], timeouts: Timeouts = USUAL) -> None:
    """Wait until these daemons are gone; raises WaitTimeoutError if one stays."""

    def gone() -> None:
        left = [daemon for daemon, process in processes.items() if is_alive(process)]
        if left:
            raise NotReady(f"{', '.join(left)} is still there")

    timeouts.wait_until(f"{', '.join(processes)} has ended", gone, timeout=30)


def _record(daemon: str) -> Path:
    return cache_directory() / f"{daemon}.json"
