"""What this checkout has created, on disk before it exists, so that the next command can always clean up."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from proving_ground.core.errors import LockError

OUTLIVING = ("checkpoints", "ledger.json", "lock", "lock.holder", "pytest-cache")
"""Names in the state directory that are not about the machines that are up."""

OF_THE_RUN = (*OUTLIVING, "ssh", "ssh.config", "vagrant.json", "inventory.yml")
"""Names in the state directory that the harness writes; all else was made there by converging."""

MOST_OF_COMMAND = 160
"""Characters of a command by which it can be told from others."""


@dataclass(frozen=True)
class Record:
    """One set of machines.

    Attributes:
        run_id: the run that created them.
        topology: its name.
        provider: Vagrant's provider.
        network_prefix: override of the machines' network, or None.
        network: name of the network made for them.
        phase: ``creating``, ``created`` or ``converged``.
        reached: name of the phase of the playbook that they are at, where they are converged in phases.
        reached_key: content that led to it.
        came_back: when they started (UTC) as they had been saved, until all that runs on them has been awaited.
        awaited: how many plays' worth of it has been.
        converged_key: content of roles, topology and depot that the machines were converged with.
        timeout_factor: how many times slower than containers they are.
        view: path of the depot's view that they were converged with.
    """

    run_id: str
    topology: str
    provider: str
    network_prefix: str | None = None
    network: str = ""
    phase: str = "creating"
    converged_key: str = ""
    reached: str = ""
    reached_key: str = ""
    came_back: str = ""
    awaited: int = 0
    timeout_factor: float = 1.0
    view: str = ""


class Ledger:
    """The record of this checkout, in ``<state directory>/ledger.json``; writes are atomic."""

    def __init__(self, state_directory: Path) -> None:
        self.path = state_directory / "ledger.json"

    def read(self) -> Record | None:
        """The record, or None when nothing has been created."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        known = {each.name for each in fields(Record)}
        return Record(**{key: value for key, value in content.items() if key in known})

    def write(self, record: Record) -> Record:
        """Put ``record`` on disk and return it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return record

    def update(self, **changes: object) -> Record:
        """Change fields of the present record; there has to be one."""
        record = self.read()
        if record is None:
            raise LookupError(f"{self.path} holds no record to update")
        return self.write(replace(record, **changes))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Forget the record: everything it names is gone."""
        self.path.unlink(missing_ok=True)


def this_process() -> str:
    """Who this is, for somebody who has to wait: process, command, and since when."""
    command = shlex.join(sys.orig_argv)
    shown = command if len(command) <= MOST_OF_COMMAND else f"{command[:MOST_OF_COMMAND]}…"
    return f"process {os.getpid()} (`{shown}`) since {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"


@contextmanager
def locked(state_directory: Path) -> Iterator[None]:
    """Hold this checkout's lock: one run at a time touches its machines.

    Raises:
        LockError: another process holds it; the message says which, by its command, and since when.
    """
    state_directory.mkdir(parents=True, exist_ok=True)
    holder = state_directory / "lock.holder"
    lock = FileLock(state_directory / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        try:
            who = holder.read_text(encoding="utf-8").strip()
        except FileNotFoundError:  # it has just come, or is just leaving
            who = "another process"
        raise LockError(f"this checkout is in use by {who}", hint="wait for it to end, or stop it") from error
    try:
        holder.write_text(f"{this_process()}\n", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
