"""Show what a long step is doing and for how long: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from proving_ground.core.timeline import Timeline

QUIET_SECONDS = 5.0
"""Between two plain lines of one step: a log wants signs of life, not every task."""


class Progress:
    """Reports the steps of a run to ``stream``.

    Args:
        stream: where it writes; its ``isatty`` decides the form.
        write: writes one whole line instead of ``stream`` (pytest's terminal reporter), or None.
        timeline: keeps when each step began and ended, or None.
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
        """One phase: its name is printed when it starts, its seconds when it ends."""
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
        """What the present step is doing now."""
        now = time.monotonic()
        if self._moving:
            self._stream.write(f"\r\x1b[2K{self._stamp()} {self._name}: {text}"[:200])
            self._stream.flush()
        elif now - self._last_line >= QUIET_SECONDS:
            self._line(f"{self._name}: {text}")

    def say(self, text: str) -> None:
        """A line that matters whatever the pace: a finding, a warning, what was started."""
        self._line(text)

    def note(self, kind: str, **facts: Any) -> None:
        """Keep what happened in the run's timeline, where it has one (:meth:`Timeline.note`)."""
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
