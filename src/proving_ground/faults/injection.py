"""Put a fault in for the length of a block, and take it out, also by a later run if this one is killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proving_ground.faults.catalogue import Fault

Shell = Callable[[str, str], None]
"""Runs a script (the second argument) on a machine or the controller (the first); raises HarnessError if it fails."""


@dataclass(frozen=True)
class Left:
    """A fault that is in, as the state directory has it: its name, where, and the script that takes it out."""

    name: str
    where: str
    take_out: str


class Injection:
    """Puts faults in and takes them out.

    Args:
        state_directory: the checkout's; the faults that are in stand in its file ``faults.json``.
        shell: runs scripts.
    """

    def __init__(self, state_directory: Path, shell: Shell) -> None:
        self._file = state_directory / "faults.json"
        self._shell = shell

    @contextmanager
    def inside(self, fault: Fault, where: str) -> Iterator[None]:
        """Put the fault in, and take it out at the end of the block, whatever happens in it.

        Args:
            fault: the fault.
            where: the machine's name, or ``controller``.

        Raises:
            HarnessError: one of its scripts failed; the fault is taken out if the first one did.
        """
        entry = Left(fault.name, where, fault.take_out)
        self._write([*self.left(), entry])  # before it is in, so that whatever happens a later run takes it out
        try:
            self._shell(where, fault.put_in)
            yield
        finally:
            self._take_out(entry)

    def left(self) -> list[Left]:
        """Return the faults that are in, the first one first."""
        if not self._file.exists():
            return []
        return [Left(**each) for each in json.loads(self._file.read_text(encoding="utf-8"))]

    def take_out_all(self) -> list[Left]:
        """Take out what a run has left that was killed, the last one first; returns what that was."""
        found = self.left()
        for entry in reversed(found):
            self._take_out(entry)
        return found

    def _take_out(self, entry: Left) -> None:
        self._shell(entry.where, entry.take_out)
        self._write([each for each in self.left() if each != entry])

    def _write(self, entries: list[Left]) -> None:
        if not entries:
            self._file.unlink(missing_ok=True)
            return
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps([vars(each) for each in entries]), encoding="utf-8")
        draft.replace(self._file)
