"""Store the cache's entries: build in a temporary directory, rename when complete, verify against the manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proving_ground.core.errors import DepotError

MANIFEST = "manifest.json"
HINT = "run `proving-ground depot repair`"


@dataclass(frozen=True)
class Entry:
    """One built component.

    Attributes:
        path: its directory.
        files: file → its ``sha256``, ``size`` in bytes, ``mtime`` in nanoseconds.
        facts: values from its builder (versions of packages, an image's reference).
    """

    path: Path
    files: dict[str, dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        """Return the host path of one of the entry's files.

        Raises:
            DepotError: the entry has no such file.
        """
        if name not in self.files:
            raise DepotError(f"entry has no file {name}", where=self.path.parent.name)
        return self.path / name


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """The entries under ``root``/entries, and the temporary directories of unfinished ones under ``root``/work."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries = root / "entries"
        self.work = root / "work"
        self.logs = root / "logs"

    def has(self, name: str, key: str) -> bool:
        """Return whether the cache has the component with this key."""
        return (self.entries / name / key).is_dir()

    def load(self, name: str, key: str) -> Entry:
        """Read an entry from its manifest, without checking its files.

        Raises:
            DepotError: the manifest is missing or damaged.
        """
        path = self.entries / name / key
        try:
            content = json.loads((path / MANIFEST).read_bytes())
            return Entry(path, content["files"], content["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DepotError(f"corrupt: {path / MANIFEST} cannot be read", where=name, hint=HINT) from error

    def verify(self, name: str, entry: Entry, *, thorough: bool = False) -> None:
        """Compare an entry's files with its manifest: size and time, and the content where they differ.

        Args:
            name: the component.
            entry: as loaded.
            thorough: compare the content of every file.

        Raises:
            DepotError: names the file that is missing or whose content has changed.
        """
        for file, expected in entry.files.items():
            path = entry.path / file
            try:
                status = path.stat()
            except OSError as error:
                raise DepotError(f"corrupt: {path} is missing", where=name, hint=HINT) from error
            same = status.st_size == expected["size"] and status.st_mtime_ns == expected["mtime"]
            if same and not thorough:
                continue
            if status.st_size != expected["size"] or sha256_of(path) != expected["sha256"]:
                raise DepotError(f"corrupt: {path} is not what was built", where=name, hint=HINT)
            if not same:
                # Only the time differs: restore it, so that the next check need not read the content.
                os.utime(path, ns=(expected["mtime"], expected["mtime"]))

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """Yield a temporary directory; it is removed afterwards, also after an error, unless ``publish`` renamed it."""
        self.work.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))
        path.chmod(0o755)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def publish(self, directory: Path, name: str, key: str, facts: dict[str, Any]) -> Entry:
        """Write the manifest of a finished directory and rename the directory to the entry atomically."""
        files = {}
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            path.chmod(0o555 if path.stat().st_mode & 0o100 else 0o444)
            status = path.stat()
            files[str(path.relative_to(directory))] = {
                "sha256": sha256_of(path),
                "size": status.st_size,
                "mtime": status.st_mtime_ns,
            }
        (directory / MANIFEST).write_text(json.dumps({"files": files, "facts": facts}, indent=1), encoding="utf-8")
        target = self.entries / name / key
        target.parent.mkdir(parents=True, exist_ok=True)
        directory.rename(target)
        return Entry(target, files, facts)

    def sweep(self) -> None:
        """Remove the directories of interrupted builds. The caller has to hold the lock."""
        shutil.rmtree(self.work, ignore_errors=True)

    def remove(self, name: str, key: str) -> None:
        """Remove an entry; rename it first, so that no process sees it without some of its files."""
        self.work.mkdir(parents=True, exist_ok=True)
        grave = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))
        (self.entries / name / key).rename(grave / key)
        shutil.rmtree(grave, ignore_errors=True)
