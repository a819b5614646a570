"""Show the lines of xdist's workers on the terminal, soon after they write them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest

from proving_ground.plugin.xdist.shared_state import Shared


class WholeLines:
    """Writes lines to the terminal from another thread than pytest's.

    It is a pytest plugin on xdist's controller. While tests run, pytest's thread writes parts of lines only in the
    hooks that this class wraps with a lock, so that no line of a worker splits them. Outside of these hooks, for
    example when it replaces a worker, xdist writes whole lines.

    Args:
        config: pytest's, on the controller.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._terminal, self._lock = config.get_terminal_writer(), threading.RLock()

    def write(self, line: str) -> None:
        """Write a whole line; safe to call from any thread."""
        with self._lock:
            begun = "\n" if self._terminal.width_of_current_line else ""
            self._terminal.write(f"{begun}{line}\n", flush=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, object, object]:
        """Lock while pytest writes a test's name, with ``-v``."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, object, object]:
        """Lock while pytest writes a test's result: a letter or a word."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, object, object]:
        """Lock while pytest writes the percentage at the end of a line."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collectreport(self) -> Generator[None, object, object]:
        """Lock while pytest reports a file that it could not collect."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodeready(self) -> Generator[None, object, object]:
        """Lock while xdist reports a worker that is ready."""
        with self._lock:
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self) -> Generator[None, object, object]:
        """Lock while xdist reports a worker that has ended."""
        with self._lock:
            return (yield)


class Relay(threading.Thread):
    """A thread that writes the workers' lines, soon after the workers wrote them.

    Args:
        shared: has the file of the workers' lines.
        write: receives each line.
    """

    SECONDS = 0.2

    def __init__(self, shared: Shared, write: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._said, self._write = shared.said, write
        self._over = threading.Event()

    def run(self) -> None:
        """Write new lines until :meth:`end`."""
        self._said.touch()
        with self._said.open(encoding="utf-8") as file:
            begun, over = "", False
            while not over:
                over = self._over.wait(self.SECONDS)
                *lines, begun = (begun + file.read()).split("\n")
                for line in lines:
                    self._write(line)

    def end(self) -> None:
        """Write the remaining lines, then stop."""
        self._over.set()
        self.join()
