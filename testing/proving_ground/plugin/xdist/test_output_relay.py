"""What workers say is whole lines on the terminal, whatever pytest writes at the same time."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from _pytest._io import TerminalWriter

from proving_ground.plugin.xdist.output_relay import WholeLines

LINES = 2000


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Reporter:
    """Writes a letter for each result, in two steps, as pytest's own reporter does."""

    def __init__(self, terminal: TerminalWriter) -> None:
        self.terminal = terminal

    @pytest.hookimpl
    def pytest_runtest_logreport(self) -> None:
        self.terminal.write("(")
        self.terminal.write(")")


@pytest.mark.usefixtures("often")
def test_lines_of_another_thread_stand_alone() -> None:
    text = io.StringIO()
    terminal = TerminalWriter(text)
    lines = WholeLines(cast("Any", SimpleNamespace(get_terminal_writer=lambda: terminal)))
    manager = pytest.PytestPluginManager()
    manager.register(lines)
    manager.register(Reporter(terminal))

    def say_all() -> None:
        for number in range(LINES):
            lines.write(f"[{number}]")

    says = threading.Thread(target=say_all)
    says.start()
    while says.is_alive():
        manager.hook.pytest_runtest_logreport(report=None)
    says.join()
    seen = text.getvalue().splitlines()
    assert [each for each in seen if "[" in each] == [f"[{number}]" for number in range(LINES)]
    results = "".join(each for each in seen if "[" not in each)
    assert results, "nothing was written meanwhile"
    assert results == "()" * (len(results) // 2)
    assert not [each for each in seen if each.endswith("(")], "a line came between the parts of a result"


def test_the_terminal_writes_as_before() -> None:
    terminal = TerminalWriter(io.StringIO())
    before = dict(vars(terminal))
    WholeLines(cast("Any", SimpleNamespace(get_terminal_writer=lambda: terminal))).write("a line")
    assert vars(terminal).keys() == before.keys()
