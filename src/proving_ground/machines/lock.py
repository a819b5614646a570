"""Lock a checkout: one run at a time touches its machines; another can wait for a run that is ending."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from proving_ground.core.errors import LockError
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import interruption

MOST_OF_COMMAND = 160
"""Characters of a command in the note of the lock's holder; the rest is cut off."""

ENDING_SECONDS = 60.0
"""Time-out of the wait for a holder that has received a signal. Measured with one machine on two busy cores: 12 s from
SIGTERM in the middle of a converge until the lock was free, 8 of them to remove the machine."""

ENDING = re.compile(r", told to end at [^`]*$")
"""The end of the holder's note after it has received a signal."""

NOBODY = "another process"
"""The holder's name without a note: it is just taking or just releasing the lock."""


def this_process() -> str:
    """Describe this process for one that waits: its PID, command, and the current time."""
    command = " ".join(shlex.join(sys.orig_argv).split())
    shown = command if len(command) <= MOST_OF_COMMAND else f"{command[:MOST_OF_COMMAND]}…"
    return f"process {os.getpid()} (`{shown}`) since {_now()}"


@contextmanager
def locked(
    state_directory: Path,
    *,
    awaited: Callable[[str], None] | None = None,
    timeouts: Timeouts = USUAL,
    within_holder: bool = False,
) -> Iterator[None]:
    """Hold this checkout's lock: one run at a time touches its machines.

    On SIGINT and SIGTERM the holder writes to its note that it is ending, and raises KeyboardInterrupt.

    Args:
        state_directory: the checkout's.
        awaited: receives a line about the holder if this waits for one that is ending; None never waits.
        timeouts: scale the time-out of that wait.
        within_holder: a process that the holder has started needs no lock of its own: the holder waits for it.

    Raises:
        LockError: another process holds the lock; the text has its command and since when it holds the lock.
    """
    state_directory.mkdir(parents=True, exist_ok=True)
    holder = state_directory / "lock.holder"
    if within_holder and _is_within(holder):
        yield
        return
    lock = FileLock(state_directory / "lock", timeout=0)
    _acquire(lock, holder, awaited, timeouts)
    try:
        who = this_process()
        holder.write_text(f"{who}\n", encoding="utf-8")
        with interruption.noted(lambda: _write(holder, f"{who}, told to end at {_now()}\n")):
            yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, holder: Path, awaited: Callable[[str], None] | None, timeouts: Timeouts) -> None:
    """Take the lock at once, or after the end of a holder that has received a signal; raises LockError."""
    limit = time.monotonic() + timeouts.seconds(ENDING_SECONDS)
    told = False
    while True:
        try:
            # Wait in short steps and read the note each time: another process may have taken the lock meanwhile.
            lock.acquire(timeout=0.5 if told else 0)
        except Timeout as error:
            who = _who(holder)
            is_leaving = ENDING.search(who) is not None or (told and who == NOBODY)
            if awaited is None or not is_leaving or time.monotonic() > limit:
                raise LockError(f"this checkout is in use by {who}", hint=_way_out(who)) from error
            if not told:
                awaited(f"waiting for {who}")
                told = True
        else:
            return


def _is_within(holder: Path) -> bool:
    """Return whether the lock's holder has started this process, or one that has."""
    number = _process(_who(holder))
    return number is not None and number in {each.pid for each in psutil.Process().parents()}


def _process(who: str) -> int | None:
    """Return the number of the process in the holder's note; None without a note."""
    found = re.match(r"process (\d+) ", who)
    return None if found is None else int(found[1])


def _who(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8").strip() or NOBODY
    except FileNotFoundError:
        return NOBODY


def _way_out(who: str) -> str:
    number = _process(who)
    command = "" if number is None else f": `kill {'-9 ' if ENDING.search(who) else ''}{number}`"
    return f"wait for it to end, or stop it{command}"


def _write(path: Path, text: str) -> None:
    """Replace a file's content atomically."""
    draft = path.with_suffix(".ending")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _now() -> str:
    return f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"
