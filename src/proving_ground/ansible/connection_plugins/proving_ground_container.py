"""Run Ansible's tasks in a container by the engine's exec; Ansible finds it by ``ANSIBLE_CONNECTION_PLUGINS``."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase

SECONDS = 3600
"""For one command; a run of Ansible has no longer than that either."""

DOCUMENTATION = """
name: proving_ground_container
short_description: Run tasks in a container by the engine's exec
description:
  - Runs tasks in a container that is up. Needs no ssh in it, and no route to it.
author: Proving Ground
extends_documentation_fragment:
  - connection_pipelining
options:
  remote_addr:
    description: The container's name.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  engine:
    description: The client by whose exec the container is reached, with the arguments that lead it to the engine.
    type: str
    default: docker
    vars:
      - name: proving_ground_engine
  remote_user:
    description: The user in the container.
    type: str
    default: root
    vars:
      - name: ansible_user
"""


class Connection(ConnectionBase):  # type: ignore[misc] # Ansible is not looked into for types
    """A connection to one container."""

    transport = "proving_ground_container"
    has_pipelining = True

    def _connect(self) -> Connection:
        super()._connect()
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = False) -> tuple[int, bytes, bytes]:
        """Run a command; return exit status, standard output and standard error."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = self._exec(["/bin/sh", "-c", cmd], input=in_data or b"")
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the container."""
        super().put_file(in_path, out_path)
        try:
            with Path(in_path).open("rb") as source:
                done = self._exec(["/bin/sh", "-c", f"cat > {shlex.quote(out_path)}"], stdin=source)
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"there is no file {in_path}") from error
        self._check(done, f"cannot write {out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the container to the controller."""
        super().fetch_file(in_path, out_path)
        done = self._exec(["cat", in_path], input=b"")
        self._check(done, f"cannot read {in_path}")
        Path(out_path).write_bytes(done.stdout)

    def close(self) -> None:
        """Forget the connection; no process belongs to it."""
        self._connected = False

    def _exec(self, words: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        user, container = self.get_option("remote_user"), self.get_option("remote_addr")
        command = [*shlex.split(self.get_option("engine")), "exec", "-i", "--user", user, container, *words]
        return subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, **options)

    def _check(self, done: subprocess.CompletedProcess[bytes], what: str) -> None:
        if done.returncode:
            raise AnsibleConnectionFailure(f"{what}: {done.stderr.decode(errors='replace').strip()}")
