"""Drop Vagrant's records of containers that are gone, as `vagrant destroy` does, which takes seconds to begin."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

INDEX_VERSION = 1
"""The only version of Vagrant's index of machines so far (vagrant/machine_index.rb)."""

LOCK_SECONDS = 5.0
"""Time-out for Vagrant's lock of its index, which Vagrant holds only while it reads or writes the file."""


def vagrant_home() -> Path:
    """Return the directory in which Vagrant keeps what it knows across projects."""
    return Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")


def recorded(root: Path) -> set[str]:
    """Return the providers for which Vagrant records machines of a project: ``.vagrant/machines/NAME/PROVIDER``."""
    return {path.name for path in (root / ".vagrant" / "machines").glob("*/*") if any(path.iterdir())}


def drop_records(root: Path, provider: str) -> bool:
    """Drop Vagrant's records of a project's machines: ``.vagrant/machines``, and their entries in Vagrant's own index.

    Args:
        root: the project's directory.
        provider: the provider whose machines are gone.

    Returns:
        True if it has dropped them. False if it has changed nothing, since the project has machines of another
        provider, or the index has a form that it does not know, or another process holds the index's lock.
    """
    if recorded(root) - {provider} or not _drop_from_index(root / ".vagrant"):
        return False
    shutil.rmtree(root / ".vagrant" / "machines")
    return True


def _drop_from_index(data: Path) -> bool:
    """Drop the entries of machines whose records are in ``data``; return whether the index is one that this knows."""
    index = vagrant_home() / "data" / "machine-index" / "index"
    if not index.exists():
        return True
    try:
        with FileLock(f"{index}.lock", timeout=LOCK_SECONDS):
            content = json.loads(index.read_text(encoding="utf-8"))
            if content["version"] != INDEX_VERSION:
                return False
            kept = {key: each for key, each in content["machines"].items() if each["local_data_path"] != str(data)}
            # A file beside it that takes its place: a process that is killed here leaves no half of an index.
            fresh = index.with_name(f"index.{os.getpid()}")
            fresh.write_text(json.dumps(content | {"machines": kept}), encoding="utf-8")
            fresh.replace(index)
    except (Timeout, OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True
