"""Write the ssh configuration of the machines, wait for their logins, and close shared connections."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady
from proving_ground.core.settings import Settings, named
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.process.commands import run

LOGIN_SECONDS = 60.0
"""Seconds from Vagrant's start of a machine to the first login."""


ALIVE = "  ServerAliveInterval 15\n  ServerAliveCountMax 4\n"
"""A shared connection to a frozen machine ends after a minute; the next one fails within its ConnectTimeout."""


def make_key_pair(settings: Settings) -> Path:
    """A key pair of this run's own; returns the private key's path (0600)."""
    directory = settings.state_directory / "ssh"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "authorized").mkdir(parents=True)
    key = directory / "id_ed25519"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"proving-ground {settings.run_id}", "-f", str(key)]
    run(command, error=MachineError, where="ssh-keygen", timeout=30)
    shutil.copyfile(key.with_suffix(".pub"), directory / "authorized" / settings.project.user)
    return key


def write_ssh_config(settings: Settings, topology: Topology) -> Path:
    """Write ``ssh.config`` from Vagrant's ``ssh_info`` of each machine; all programs that use it share connections.

    Returns:
        The file's path.

    Raises:
        MachineError: Vagrant has not written the ``ssh_info`` of a machine.
    """
    # Not below the checkout: a socket's path may have 107 characters, a checkout's path may be longer.
    sockets = Path(tempfile.gettempdir()) / named(settings.checkout_id)
    sockets.mkdir(mode=0o700, exist_ok=True)
    blocks = []
    for node in topology.nodes:
        told = settings.state_directory / "ssh" / f"{node.name}.json"
        if not told.exists():
            raise MachineError("Vagrant brought it up, but did not write its ssh configuration", where=node.name)
        blocks.append(ssh_block(node.name, json.loads(told.read_text(encoding="utf-8"))))
    blocks.append(
        f"Host *\n  ControlMaster auto\n  ControlPath {sockets}/%C\n  ControlPersist 600\n{ALIVE}  LogLevel ERROR\n"
    )
    path = settings.state_directory / "ssh.config"
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def ssh_block(name: str, told: dict[str, Any]) -> str:
    """Return a host's block of the ssh configuration, from Vagrant's ``ssh_info``."""
    lines = [f"Host {name}", f"  HostName {told['host']}", f"  Port {told['port']}", f"  User {told['username']}"]
    lines += [f'  IdentityFile "{key}"' for key in told["private_key_path"]]
    # New machines get new host keys at the addresses of earlier ones.
    lines += ["  IdentitiesOnly yes", "  PasswordAuthentication no", "  StrictHostKeyChecking no"]
    return "\n".join([*lines, "  UserKnownHostsFile /dev/null", ""])


def await_logins(settings: Settings, topology: Topology, timeouts: Timeouts) -> None:
    """Wait for logins to all machines at the same time; the connections stay open for later commands.

    Raises:
        MachineError: names every machine without a login, with ssh's error.
    """
    probes = {f"{node.name} lets its user in": partial(log_in, settings, node, timeouts) for node in topology.nodes}
    closed = timeouts.wait_for_all(probes, timeout=LOGIN_SECONDS, interval=0.2)
    if closed:
        raise MachineError("; ".join(closed), where="ssh", hint="run `proving-ground destroy` and start again")


def log_in(settings: Settings, node: Node, timeouts: Timeouts) -> None:
    """Connect to a machine, unless a connection is open; raises NotReady with ssh's last line."""
    config = str(settings.state_directory / "ssh.config")
    command = ["ssh", "-F", config, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", node.name, "true"]
    # A file, not a pipe: the shared connection that stays would keep a pipe open.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words:
        nothing, seconds = subprocess.DEVNULL, timeouts.seconds(30)
        try:
            done = subprocess.run(command, stdin=nothing, stdout=nothing, stderr=words, check=False, timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise NotReady(f"ssh did not end within {seconds:.0f} s") from late
        words.seek(0)
        if done.returncode != 0:
            raise NotReady(words.read().strip().rpartition("\n")[2] or f"ssh ended with {done.returncode}")


def close_connections(settings: Settings) -> None:
    """End the shared ssh connections of this run."""
    config = settings.state_directory / "ssh.config"
    if not config.exists():
        return
    for line in config.read_text(encoding="utf-8").splitlines():
        if line.startswith("Host ") and line != "Host *":
            command = ["ssh", "-F", str(config), "-O", "exit", line.removeprefix("Host ")]
            with suppress(subprocess.TimeoutExpired):  # a frozen one ends by itself (ALIVE), or with its machine
                subprocess.run(command, capture_output=True, check=False, timeout=10)
