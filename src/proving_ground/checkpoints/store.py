"""Save machines after a phase; list, find by content, restore and forget what has been saved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.machines.ledger import OF_THE_RUN
from proving_ground.providers import registry


@dataclass(frozen=True)
class Checkpoint:
    """One consistent state of all machines of a topology.

    Attributes:
        key: content that led there (``phases.key``).
        phase: the phase's name.
        topology: the topology's name.
        provider: the provider that keeps it.
        saved: when, ISO 8601 in UTC.
        size: bytes on disk.
        complete: whether it is whole; one that was broken off is removed by the next command.
    """

    key: str
    phase: str
    topology: str
    provider: str
    saved: str = ""
    size: int = 0
    complete: bool = False


class Checkpoints:
    """What this checkout has saved; each has a directory, written before anything is saved.

    Args:
        settings: the run's settings.
        progress: told of every step.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self.directory = settings.state_directory / "checkpoints"
        self._log = settings.artifacts / "checkpoints.log"

    def __iter__(self) -> Iterator[Checkpoint]:
        """All there are, oldest first, whole or not."""
        found = [
            Checkpoint(**json.loads(file.read_text(encoding="utf-8")))
            for file in self.directory.glob("*/checkpoint.json")
        ]
        return iter(sorted(found, key=lambda each: each.saved))

    def get(self, key: str) -> Checkpoint | None:
        """The whole checkpoint of this content, or None."""
        return next((each for each in self if each.key == key and each.complete), None)

    def save(self, key: str, phase: str, topology: Topology, view: View) -> Checkpoint:
        """Save the machines as they are now, and what was made for them on the controller.

        Raises:
            UsageError: the provider cannot.
            MachineError: something failed; the machines run on.
        """
        if present := self.get(key):
            return present
        settings = self._settings
        self.tidy()
        with self._progress.step(f"checkpoint {phase}"):
            draft = Checkpoint(key, phase, settings.topology, settings.provider, datetime.now(UTC).isoformat())
            self._write(draft)
            provider = registry.of(settings)
            size = provider.save(key, topology, view, self._progress, self._log)
            if provider.in_place:  # of disks that hold all that was saved before
                size = max(0, size - sum(each.size for each in self if each.provider == settings.provider))
            copy(settings.state_directory, self.directory / key / "state")
            checkpoint = replace(draft, size=size, complete=True)
            self._write(checkpoint)
        return checkpoint

    def restore_files(self, checkpoint: Checkpoint) -> None:
        """Put what was made on the controller where it was."""
        copy(self.directory / checkpoint.key / "state", self._settings.state_directory)

    def forget(self, chosen: Iterable[Checkpoint]) -> None:
        """Remove checkpoints and all that is kept of them.

        Raises:
            MachineError: something could not be removed.
            PreflightError: what keeps them has ended and does not start.
        """
        keepers: dict[str, registry.Provider] = {}
        for each in chosen:
            if each.provider not in keepers:
                keepers[each.provider] = registry.of(replace(self._settings, provider=each.provider))
                keepers[each.provider].ensure_running(self._progress)
            keepers[each.provider].forget(each.key, self._log)
            shutil.rmtree(self.directory / each.key)

    def drop(self, kinds: Iterable[str]) -> None:
        """Forget what has gone with its machines: all that providers of these names had saved."""
        gone = set(kinds)
        for each in self:
            if each.provider in gone:
                shutil.rmtree(self.directory / each.key)

    def tidy(self) -> None:
        """Remove what an interruption has left half done."""
        self.forget([each for each in self if not each.complete])

    def _write(self, checkpoint: Checkpoint) -> None:
        file = self.directory / checkpoint.key / "checkpoint.json"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(checkpoint), indent=2) + "\n", encoding="utf-8")
        draft.replace(file)


def copy(source: Path, target: Path) -> None:
    """Copy what a converge leaves on the controller: all of a state directory that is not the run's own."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in source.iterdir():
        if each.name in OF_THE_RUN:
            continue
        if each.is_dir():
            shutil.copytree(each, target / each.name, dirs_exist_ok=True)
        else:
            shutil.copy2(each, target / each.name)


def listing(found: Iterable[Checkpoint]) -> Iterator[str]:
    """A table of checkpoints, one line each, and their sum."""
    total = 0
    for each in found:
        total += each.size
        note = "" if each.complete else "  broken off"
        yield f"{each.saved[:16]}  {megabytes(each.size):>9}  {each.topology:10} {each.phase:16} {each.key}{note}"
    yield f"{megabytes(total)} in all"


def megabytes(size: int) -> str:
    """Bytes in a unit that is read at a glance."""
    return f"{size / 1e6:.0f} MB"
