"""Run KWOK's controller as a process of the run, and end it, also one that an earlier run has left."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

import yaml

from proving_ground.core.errors import MachineError
from proving_ground.kubernetes.simulated_nodes.manifests import Manifest
from proving_ground.process.processes import end, in_session, process_of, record, recorded

STAGES = Path(__file__).with_name("stages.yml")
GRACE_SECONDS = 5.0
"""Seconds between the request to end and the end by force."""


class Controller:
    """KWOK's controller.

    Args:
        directory: its own: settings, credentials, and the record of its process.
        log: the file that receives its output.
    """

    def __init__(self, directory: Path, log: Path) -> None:
        self._directory = directory
        self.log = log
        self._record = directory / "process.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, program: Path, kubeconfig: Manifest, configuration: Manifest) -> None:
        """Start it.

        Args:
            program: KWOK's.
            kubeconfig: which API, and as whom.
            configuration: which nodes are its own.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        credentials, settings = self._directory / "kubeconfig", self._directory / "kwok.yml"
        credentials.touch(mode=0o600)
        credentials.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
        text = f"{yaml.safe_dump(configuration)}---\n{STAGES.read_text(encoding='utf-8')}"
        settings.write_text(text, encoding="utf-8")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                # It would write lines about each node and each pod that is as it should be.
                [str(program), f"--kubeconfig={credentials}", f"--config={settings}", "--v=WARN"],
                cwd=self._directory,
                # It reads the user's own settings otherwise.
                env={**os.environ, "KWOK_WORKDIR": str(self._directory)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        record(self._record, self._process.pid)

    def require_alive(self) -> None:
        """Raise MachineError if it has ended."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise MachineError(f"KWOK's controller has ended with {code}", hint="read its log", log=self.log)

    @property
    def is_alive(self) -> bool:
        """Whether it runs, whoever started it."""
        return recorded(self._record) is not None

    def stop(self) -> None:
        """End it, whoever started it; nothing happens if none is there."""
        if self._process is not None:
            if self._process.poll() is None:
                end(partial(in_session, process_of(self._process.pid)), grace=GRACE_SECONDS)
                self._process.wait(timeout=GRACE_SECONDS)
            self._process = None
        elif (left := recorded(self._record)) is not None:
            end(partial(in_session, left), grace=GRACE_SECONDS)
        self._record.unlink(missing_ok=True)
