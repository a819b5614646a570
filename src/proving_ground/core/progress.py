"""Show what a long step does and how long it takes: one updated line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from proving_ground.core.timeline import Timeline

QUIET_SECONDS = 5.0
"""Seconds between two plain lines of one step, so that a log shows progress without a line for every task."""


class Progress:
    """Reports the steps of a run to ``stream``.

    Args:
        stream: output; its ``isatty`` decides between one updated line and plain lines.
        write: writes one whole line instead of ``stream`` (pytest's terminal reporter), or None.
        timeline: records when each step began and ended, or None.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        write: Callable[[str], None] | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self._stream = stream or sys.stderr
        self._write = write
        self._timeline = timeline
        self._moving = write is None and self._stream.isatty()
        self._start = time.monotonic()
        self._last_line = 0.0
        self._name = ""
        self.durations: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run one phase: print its name when it starts, its seconds when it ends."""
        outer, self._name, started = self._name, name, time.monotonic()
        began = time.time()
        self.note("phase", name=name, start=began)
        self._line(f"{name} …")
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            elapsed = time.monotonic() - started
            self.durations[name] = elapsed
            self.note("phase", name=name, start=began, end=began + elapsed, outcome=outcome)
            self._line(f"{name} {outcome} in {elapsed:.1f} s")
            self._name = outer

    def __call__(self, text: str) -> None:
        """Show what the current step does now."""
        now = time.monotonic()
        if self._moving:
            self._stream.write(f"\r\x1b[2K{self._stamp()} {self._name}: {text}"[:200])
            self._stream.flush()
        elif now - self._last_line >= QUIET_SECONDS:
            self._line(f"{self._name}: {text}")

    def say(self, text: str) -> None:
        """Print a line that is always shown: a finding, a warning, a started service."""
        self._line(text)

    def note(self, kind: str, **facts: Any) -> None:
        """Record an event in the run's timeline, if there is one (:meth:`Timeline.note`)."""
        if self._timeline is not None:
            self._timeline.note(kind, **facts)

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._start:6.1f} s]"

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        line = f"{self._stamp()} {text}"
        if self._write is not None:
            self._write(line)
            return
        self._stream.write(f"\r\x1b[2K{line}\n" if self._moving else f"{line}\n")
        self._stream.flush()
