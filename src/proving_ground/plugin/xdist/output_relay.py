"""What workers of pytest-xdist say, on the terminal soon after they have said it, as lines that stand alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from proving_ground.plugin.xdist.shared_state import Shared


def line_writer(config: pytest.Config) -> Callable[[str], None]:
    """Writes whole lines to the terminal from another thread than pytest's, which writes parts of lines meanwhile."""
    terminal, lock = config.get_terminal_writer(), threading.RLock()
    write = terminal.write

    def in_turn(*words: Any, **options: Any) -> None:
        with lock:
            write(*words, **options)

    def line(text: str) -> None:
        with lock:
            begun = "\n" if terminal.width_of_current_line else ""
            write(f"{begun}{text}\n", flush=True)

    terminal.write = in_turn  # type: ignore[method-assign]
    return line


class Relay(threading.Thread):
    """Writes what workers say, soon after they have said it.

    Args:
        shared: where they say it.
        write: takes each line.
    """

    SECONDS = 0.2

    def __init__(self, shared: Shared, write: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._said, self._write = shared.said, write
        self._over = threading.Event()

    def run(self) -> None:
        """Until :meth:`end`."""
        self._said.touch()
        with self._said.open(encoding="utf-8") as file:
            begun, over = "", False
            while not over:
                over = self._over.wait(self.SECONDS)
                *lines, begun = (begun + file.read()).split("\n")
                for line in lines:
                    self._write(line)

    def end(self) -> None:
        """Write what is still to be written, and no more."""
        self._over.set()
        self.join()
