"""Call Vagrant with a deadline, a log, progress, and errors that name the cause."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from proving_ground.core.errors import MachineError
from proving_ground.core.extras import require
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.process.commands import last_words
from proving_ground.process.programs import not_installed
from proving_ground.process.reaper import MARK, end_marked

if TYPE_CHECKING:
    from proving_ground.machines.vagrant_client import Client

DEADLINES = {"docker": 300, "libvirt": 1800, "virtualbox": 1800}
"""Seconds for one call by provider: emulated machines take minutes to boot."""

PLUGIN = Path(__file__).parent / "vagrantfiles" / "proving_ground.rb"
"""The file that a Vagrantfile loads; a project without a Vagrantfile uses the one in the same directory."""

BY_PLUGIN = ("libvirt",)
"""Providers that need a plugin of Vagrant."""


def check_installed() -> None:
    """Check that this host has the programs that create machines.

    Raises:
        PreflightError: python-vagrant is not installed, or Vagrant is not.
    """
    require("python-vagrant", extra="vagrant", where="machines")
    if shutil.which("vagrant") is None:
        raise not_installed("vagrant")


class Vagrant:
    """Runs Vagrant for the machines of one checkout.

    Raises:
        PreflightError: as :func:`check_installed`.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        check_installed()
        self._settings = settings
        self._progress = progress
        self.log = settings.artifacts / "vagrant.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def write_run(self, content: dict[str, Any]) -> None:
        """Write this run's values for the Vagrantfile to ``.proving-ground/vagrant.json``."""
        path = self._settings.state_directory / "vagrant.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def up(self) -> None:
        """Bring all machines up, in parallel.

        Raises:
            MachineError: Vagrant failed, or did not end within its deadline.
        """
        with self._client("up") as client, self.log.open("a", encoding="utf-8") as log:
            for line in client.up(provider=self._settings.provider, stream_output=True):
                # A progress bar overwrites its line; keep only its last state.
                seen = line.replace("\x1b[K", "\r").rstrip().rsplit("\r", 1)[-1]
                log.write(f"{seen}\n")
                self._progress(seen.strip())

    def destroy(self) -> None:
        """Destroy all machines of this checkout.

        Raises:
            MachineError: as in :meth:`up`.
        """
        with self._client("destroy") as client:
            client.destroy()

    def halt(self, *, force: bool = False) -> None:
        """Shut all machines down; with ``force``, power them off.

        Raises:
            MachineError: as in :meth:`up`.
        """
        with self._client("halt") as client:
            client.halt(force=force)

    def save(self, name: str) -> None:
        """Take a snapshot of every machine.

        Raises:
            MachineError: as in :meth:`up`.
        """
        with self._client("snapshot save") as client:
            client.snapshot_save(name)

    def restore(self, name: str) -> None:
        """Restore every machine's disk from a snapshot; the machines stay shut down.

        Raises:
            MachineError: as in :meth:`up`.
        """
        with self._client("snapshot restore") as client:
            client.snapshot_restore_only(name)

    def forget(self, name: str) -> None:
        """Remove a snapshot from every machine that has it.

        Raises:
            MachineError: as in :meth:`up`.
        """
        with self._client("snapshot delete") as client:
            for machine in client.machines_with(name):
                client.snapshot_delete_from(machine, name)

    @contextmanager
    def _client(self, word: str) -> Iterator[Client]:
        from proving_ground.machines.vagrant_client import Client  # needs an extra

        start = self.log.stat().st_size if self.log.exists() else 0

        @contextmanager
        def to_log() -> Iterator[IO[str]]:
            with self.log.open("a", encoding="utf-8") as file:
                yield file

        root = str(self._settings.root)
        variables = {
            **os.environ,
            "VAGRANT_CHECKPOINT_DISABLE": "1",  # or Vagrant looks for a newer version on the internet
            MARK: root,  # the reaper finds Vagrant by it if it outlives this run
            "PG_VAGRANT_PLUGIN": str(PLUGIN),
            "PG_PROGRAM": shlex.join([sys.executable, "-m", "proving_ground.cli"]),
        }
        if not (self._settings.root / "Vagrantfile").exists():
            variables |= {"PG_ROOT": root, "VAGRANT_CWD": str(PLUGIN.parent)}
            variables["VAGRANT_DOTFILE_PATH"] = f"{root}/.vagrant"
        if self._settings.provider not in BY_PLUGIN:  # loading other providers' plugins takes a second for each call
            variables["VAGRANT_NO_PLUGINS"] = "1"
        client = Client(root, env=variables, out_cm=to_log, err_cm=to_log)
        client.deadline = DEADLINES[self._settings.provider]
        try:
            yield client
        except subprocess.CalledProcessError as error:
            with self.log.open(encoding="utf-8", errors="replace") as file:
                file.seek(start)
                words = last_words(file.read())
            if error.returncode in {124, 137}:
                words = f"did not end within {client.deadline} s; last: {words}"
            raise MachineError(
                words, where=f"vagrant {word}", hint="run `proving-ground destroy`", log=self.log
            ) from error
        finally:
            end_marked(root)  # after an interruption, remaining processes would create more machines
