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

from proving_ground.plugin.xdist.output_relay import line_writer

LINES = 2000


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
def test_lines_of_another_thread_stand_alone() -> None:
    text = io.StringIO()
    terminal = TerminalWriter(text)
    line = line_writer(cast("Any", SimpleNamespace(get_terminal_writer=lambda: terminal)))
    says = threading.Thread(target=lambda: [line(f"[{number}]") for number in range(LINES)])
    says.start()
    while says.is_alive():
        terminal.write(".")
    says.join()
    found = [each for each in text.getvalue().splitlines() if "[" in each]
    assert found == [f"[{number}]" for number in range(LINES)]
