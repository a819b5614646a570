"""Share between the processes of a run: phases that one runs for all, results, and lines to show."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from proving_ground.plugin.xdist.rwlock import ReadWriteLock

Value = TypeVar("Value")


@dataclass(frozen=True)
class Outcome:
    """How a phase ended: with a value, or with an error."""

    value: Any = None
    error: Exception | None = None


class Shared:
    """A directory by which the processes of one run know of each other.

    Args:
        directory: empty at first, the same for all processes, and nobody else's: what lies there is unpickled.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = ReadWriteLock(directory)

    def once(self, name: str, phase: Callable[[], Value]) -> Value:
        """Run ``phase`` in the first process that asks, while no test is at the machines; the others get what it got.

        A process that is killed in the middle has not run it: the next one does.

        Raises:
            Exception: what the phase has raised, in every process.
        """
        if not self._path(name).exists():
            with self.lock.exclusive():
                if not self._path(name).exists():
                    self.keep(name, _outcome(phase))
        outcome: Outcome = self.kept(name)
        if outcome.error is not None:
            raise outcome.error
        value: Value = outcome.value
        return value

    def keep(self, name: str, value: object) -> None:
        """Lay ``value`` down for all processes; where there is one already, that one stays."""
        draft = self.directory / f".{name}-{os.getpid()}"
        draft.write_bytes(pickle.dumps(value))
        with suppress(FileExistsError):
            self._path(name).hardlink_to(draft)
        draft.unlink()

    def kept(self, name: str) -> Any:
        """What lies under ``name``, or None."""
        try:
            return pickle.loads(self._path(name).read_bytes())
        except FileNotFoundError:
            return None

    def claim(self, name: str, most: int) -> bool:
        """Whether this is among the first ``most`` claims of all processes."""
        for number in range(most):
            with suppress(FileExistsError):
                (self.directory / f"{name}-{number}").touch(exist_ok=False)
                return True
        return False

    def say(self, line: str) -> None:
        """Say a line to whoever reads :attr:`said`."""
        with self.said.open("a", encoding="utf-8") as file:
            file.write(line.replace("\n", " ") + "\n")

    @property
    def said(self) -> Path:
        """The file of lines that have been said."""
        return self.directory / "said"

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.pickle"


def _outcome(phase: Callable[[], object]) -> Outcome:
    try:
        return Outcome(phase())
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # whatever an exception's own constructor asks for
            return Outcome(error=RuntimeError(f"{type(error).__name__}: {error}"))
        return Outcome(error=error)
