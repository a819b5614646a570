"""Show on the terminal what xdist's workers say, soon after they say it, as whole lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest

from proving_ground.plugin.xdist.shared_state import Shared


class WholeLines:
    """Writes lines to the terminal from another thread than pytest's.

    A plugin of pytest, registered on xdist's controller. While tests run, pytest's thread writes parts of lines only
    within the hooks that are wrapped here, and no line gets in between what one of them writes. What xdist writes
    outside of them, as when it replaces a worker, are whole lines.

    Args:
        config: pytest's, on the controller.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._terminal, self._lock = config.get_terminal_writer(), threading.RLock()

    def write(self, line: str) -> None:
        """Write a line that stands alone; safe to call from any thread."""
        with self._lock:
            begun = "\n" if self._terminal.width_of_current_line else ""
            self._terminal.write(f"{begun}{line}\n", flush=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, object, object]:
        """The name of a test, with ``-v``."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, object, object]:
        """A test's result: a letter, or a word."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, object, object]:
        """How many tests are done, at the end of a line."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collectreport(self) -> Generator[None, object, object]:
        """A file that could not be collected."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodeready(self) -> Generator[None, object, object]:
        """A worker that is there."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self) -> Generator[None, object, object]:
        """A worker that has gone."""
        with self._lock:
            return (yield)


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
