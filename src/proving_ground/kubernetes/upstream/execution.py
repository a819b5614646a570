"""Run upstream's cases in a process of their own, and tell now and then how far they are."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proving_ground.core.errors import HarnessError
from proving_ground.process.processes import end, in_session, process_of

LOG = "ginkgo.log"
INTERVAL = 30.0
"""Seconds between two lines that tell how far the run is."""

GRACE_SECONDS = 10.0
"""Time for programs that are interrupted to remove what they have made on the cluster."""

FINISHED = re.compile(r"^[•S]+|^• \[(?:FAILED|PANICKED|TIMEDOUT|INTERRUPTED)\]", re.MULTILINE)
RED = re.compile(r"^• \[(?:FAILED|PANICKED|TIMEDOUT|INTERRUPTED)\]", re.MULTILINE)


@dataclass(frozen=True)
class Tally:
    """How far a run is: cases that have passed or failed, and those that have failed."""

    done: int
    failed: int


def tally(output: str) -> Tally:
    """Read from ginkgo's output how far it is: it prints a point for each case."""
    done = sum(found.group().count("•") for found in FINISHED.finditer(output))
    return Tally(done, len(RED.findall(output)))


def execute(
    command: Sequence[str],
    directory: Path,
    *,
    total: int,
    timeout: float,
    say: Callable[[str], None],
    interval: float = INTERVAL,
) -> int:
    """Run upstream's cases to their end; return the exit code, which is not 0 if a case failed.

    Args:
        command: the command line.
        directory: where it runs, and where its output goes: ``ginkgo.log``.
        total: how many cases it runs.
        timeout: seconds; then the run and all that it started are ended.
        say: receives a line now and then.
        interval: seconds between two lines.

    Raises:
        HarnessError: the run did not end in time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log, began = directory / LOG, time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        session = process_of(process.pid)
        try:
            while (seconds := time.monotonic() - began) < timeout:
                try:
                    return process.wait(timeout=min(interval, timeout - seconds))
                except subprocess.TimeoutExpired:
                    say(_line(tally(log.read_text(encoding="utf-8", errors="replace")), total, began))
            raise HarnessError(f"upstream's cases did not end within {timeout:.0f} s", where=command[0], log=log)
        finally:
            end(partial(in_session, session), grace=GRACE_SECONDS)


def _line(found: Tally, total: int, began: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    return f"{found.done} of {total} cases, {found.failed or 'none'} failed, {minutes}:{seconds:02} min"
