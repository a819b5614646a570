"""Programs that may outlive the run that started them: each carries a mark by which it is found and ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until

MARK = "PROVING_GROUND_CHECKOUT"
"""Environment variable by which a tool's descendants are found, whatever sessions they have made for themselves:
Vagrant's and Ansible's, which are ended with the tool. Its value is the checkout's path."""

RUN = "PROVING_GROUND_RUN"
"""The same for all that a run starts, tests' programs among it; they are ended with the machines. Its value is that of
:func:`mark_of_run`."""


def mark_of_run(checkout_id: str, run_id: str) -> str:
    """What the programs of a run carry in :data:`RUN`: whose they are, and of which run."""
    return f"{checkout_id}/{run_id}"


def end_runs(checkout_id: str, *, patience: float = 5) -> int:
    """End whatever earlier runs of a checkout have left running; returns how many processes there were.

    Args:
        checkout_id: ``Settings.checkout_id``.
        patience: seconds, as in :func:`end_marked`.
    """
    return _end(lambda: marked(mark_of_run(checkout_id, ""), RUN, whole=False), patience)


def end_marked(value: str, *, patience: float = 5) -> int:
    """End every process that was started with :data:`MARK` set to ``value``; returns how many there were.

    Args:
        value: what tells them from others.
        patience: seconds between asking them to end and killing them.
    """
    return _end(lambda: marked(value), patience)


def _end(find: Callable[[], list[int]], patience: float) -> int:
    found = find()
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for process in find():
            with suppress(ProcessLookupError):
                os.kill(process, kind)
        with suppress(WaitTimeoutError):
            wait_until("they have ended", lambda: _none(find()), timeout=patience, interval=0.05)
            break
    return len(found)


def marked(value: str, variable: str = MARK, *, whole: bool = True) -> list[int]:
    """Process identifiers of living processes whose environment has ``variable`` set to ``value``; not our own.

    Args:
        value: what it is set to.
        variable: its name.
        whole: whether the value is all of it, or how it begins.
    """
    wanted = f"{variable}={value}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environ.read_bytes().split(b"\0")
        except OSError:  # it has ended, or is somebody else's
            continue
        if any(each == wanted or (not whole and each.startswith(wanted)) for each in variables):
            found.append(int(environ.parent.name))
    return [process for process in found if process != os.getpid()]


def _none(processes: list[int]) -> None:
    if processes:
        raise NotReady(f"there are {processes}")
