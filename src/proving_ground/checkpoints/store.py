"""Save machines after a phase; list, find by content, restore and remove checkpoints."""

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
        key: hash of the content that led to the state (``phases.key``).
        phase: the phase's name.
        topology: the topology's name.
        provider: the provider that stores it.
        saved: time, ISO 8601 in UTC.
        size: bytes on disk.
        complete: whether saving it has succeeded; the next command removes an incomplete one.
    """

    key: str
    phase: str
    topology: str
    provider: str
    saved: str = ""
    size: int = 0
    complete: bool = False


class Checkpoints:
    """The checkpoints of this checkout; each has a directory, created before the provider saves anything.

    Args:
        settings: the run's settings.
        progress: receives a line for each step.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self.directory = settings.state_directory / "checkpoints"
        self._log = settings.artifacts / "checkpoints.log"

    def __iter__(self) -> Iterator[Checkpoint]:
        """Yield all checkpoints, complete or not, oldest first."""
        found = [
            Checkpoint(**json.loads(file.read_text(encoding="utf-8")))
            for file in self.directory.glob("*/checkpoint.json")
        ]
        return iter(sorted(found, key=lambda each: each.saved))

    def get(self, key: str) -> Checkpoint | None:
        """Return the complete checkpoint with this key, or None."""
        return next((each for each in self if each.key == key and each.complete), None)

    def save(self, key: str, phase: str, topology: Topology, view: View) -> Checkpoint:
        """Save the machines as they are now, and the state directory's files on the controller.

        Raises:
            UsageError: the provider cannot save machines.
            MachineError: saving failed; the machines still run.
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
            if provider.in_place:  # the size is that of disks, which contain all earlier checkpoints
                size = max(0, size - sum(each.size for each in self if each.provider == settings.provider))
            copy(settings.state_directory, self.directory / key / "state")
            checkpoint = replace(draft, size=size, complete=True)
            self._write(checkpoint)
        return checkpoint

    def restore_files(self, checkpoint: Checkpoint) -> None:
        """Copy the saved files back to the state directory on the controller."""
        copy(self.directory / checkpoint.key / "state", self._settings.state_directory)

    def forget(self, chosen: Iterable[Checkpoint]) -> None:
        """Remove checkpoints, including the provider's data.

        Raises:
            MachineError: something could not be removed.
            PreflightError: the provider's service has ended and does not start.
        """
        keepers: dict[str, registry.Provider] = {}
        for each in chosen:
            if each.provider not in keepers:
                keepers[each.provider] = registry.of(replace(self._settings, provider=each.provider))
                keepers[each.provider].ensure_running(self._progress)
            keepers[each.provider].forget(each.key, self._log)
            shutil.rmtree(self.directory / each.key)

    def drop(self, kinds: Iterable[str]) -> None:
        """Remove the directories of these providers' checkpoints, which were removed together with the machines."""
        gone = set(kinds)
        for each in self:
            if each.provider in gone:
                shutil.rmtree(self.directory / each.key)

    def tidy(self) -> None:
        """Remove incomplete checkpoints of interrupted runs."""
        self.forget([each for each in self if not each.complete])

    def _write(self, checkpoint: Checkpoint) -> None:
        file = self.directory / checkpoint.key / "checkpoint.json"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(checkpoint), indent=2) + "\n", encoding="utf-8")
        draft.replace(file)


def copy(source: Path, target: Path) -> None:
    """Copy the files that a converge left in the state directory, without the files of the run itself."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in source.iterdir():
        if each.name in OF_THE_RUN:
            continue
        if each.is_dir():
            shutil.copytree(each, target / each.name, dirs_exist_ok=True)
        else:
            shutil.copy2(each, target / each.name)


def listing(found: Iterable[Checkpoint]) -> Iterator[str]:
    """Yield a table of checkpoints, one line each, and their total size."""
    total = 0
    for each in found:
        total += each.size
        note = "" if each.complete else "  broken off"
        yield f"{each.saved[:16]}  {megabytes(each.size):>9}  {each.topology:10} {each.phase:16} {each.key}{note}"
    yield f"{megabytes(total)} in all"


def megabytes(size: int) -> str:
    """Format bytes as megabytes."""
    return f"{size / 1e6:.0f} MB"
