"""Share phases (which one process runs for all), results and lines to show between the processes of a run."""

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
    """A directory through which the processes of one run share data.

    Args:
        directory: empty at first, the same for all processes; no other user may write to it, since its files are
            unpickled.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = ReadWriteLock(directory)

    def once(self, name: str, phase: Callable[[], Value]) -> Value:
        """Run ``phase`` in the first process that calls this, while no test uses the machines; all get its result.

        If that process is killed in the phase, the next one runs it.

        Raises:
            Exception: the phase's exception, in every process.
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
        """Store ``value`` for all processes, unless ``name`` has a value already."""
        draft = self.directory / f".{name}-{os.getpid()}"
        draft.write_bytes(pickle.dumps(value))
        with suppress(FileExistsError):
            self._path(name).hardlink_to(draft)
        draft.unlink()

    def kept(self, name: str) -> Any:
        """Return the value of ``name``, or None."""
        try:
            return pickle.loads(self._path(name).read_bytes())
        except FileNotFoundError:
            return None

    def claim(self, name: str, most: int) -> bool:
        """Return whether this is one of the first ``most`` claims in all processes."""
        for number in range(most):
            with suppress(FileExistsError):
                (self.directory / f"{name}-{number}").touch(exist_ok=False)
                return True
        return False

    def say(self, line: str) -> None:
        """Append a line to :attr:`said`, which the controller shows."""
        with self.said.open("a", encoding="utf-8") as file:
            file.write(line.replace("\n", " ") + "\n")

    @property
    def said(self) -> Path:
        """The file of the processes' lines."""
        return self.directory / "said"

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.pickle"


def _outcome(phase: Callable[[], object]) -> Outcome:
    try:
        return Outcome(phase())
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # an exception whose constructor needs other arguments cannot be unpickled
            return Outcome(error=RuntimeError(f"{type(error).__name__}: {error}"))
        return Outcome(error=error)
