"""Find or start the Docker engine; import the image, create the network, remove leftovers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import commands, services
from proving_ground.process.programs import not_installed
from proving_ground.process.services import cache_directory

LABEL = "proving-ground.checkout"
"""Label of all our containers, networks and volumes; its value is ``Settings.checkout_id``."""

NODE_IMAGE = "proving-ground/node"
ENTRYPOINT = "/usr/lib/proving-ground/entrypoint"

CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "DAC_READ_SEARCH", "IPC_LOCK", "IPC_OWNER", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "SYSLOG", "SYS_ADMIN", "SYS_BOOT"),
    *("SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)
"""A machine's capabilities besides Docker's default fourteen: all but SYS_RESOURCE, which a host's root may lack. By
name: in Docker 20.10 "ALL" is more than such a host has, and Docker 26 refuses to drop one that its host lacks."""

CLIENT_SECONDS = 60.0
"""Time-out for the client to report whether the engine answers."""

CREATE_ARGUMENTS = (
    # All rights that systemd, containerd and a kubelet need: --privileged fails on hosts whose root lacks SYS_RESOURCE.
    *(word for name in CAPABILITIES for word in ("--cap-add", name)),
    *("--device-cgroup-rule", "a *:* rwm"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"),
    *("--security-opt", "apparmor=unconfined", "--cgroupns", "private"),
    *("--tmpfs", "/run:exec", "--tmpfs", "/tmp:exec", "--stop-signal", "SIGRTMIN+3"),
)


def ensure_running(progress: Progress, timeouts: Timeouts = USUAL) -> None:
    """Find a running engine, or start one if this process is root and no service manager would start it.

    Raises:
        PreflightError: Docker is not installed, this user may not use it, or it does not start.
    """
    if shutil.which("docker") is None:
        raise not_installed("docker")
    refusal = _refusal()
    if refusal is None:
        return
    if "permission denied" in refusal.lower():
        raise PreflightError("docker may not be used by this user", hint="add the user to the group docker")
    if services.managed_by_systemd():
        raise PreflightError("the Docker engine is not running", hint="run `sudo systemctl start docker`")
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise PreflightError("the Docker engine is not running", hint="start dockerd as root")
    _start(progress, timeouts)


def _refusal() -> str | None:
    try:
        result = subprocess.run(
            ["docker", "version"], capture_output=True, text=True, check=False, timeout=CLIENT_SECONDS
        )
    except subprocess.TimeoutExpired as late:
        text = f"the Docker engine neither answers nor refuses within {CLIENT_SECONDS:.0f} s"
        raise PreflightError(text, where="docker", hint="look whether it is frozen; restart it") from late
    return None if result.returncode == 0 else result.stderr


def _start(progress: Progress, timeouts: Timeouts) -> None:
    cache = cache_directory()
    pidfile = cache / "docker.pid"
    command = ["dockerd", "--data-root", str(cache / "docker"), "--pidfile", str(pidfile)]
    log = cache / "dockerd.log"
    # An engine that is ending does not answer any more, and prevents the start of another until it has ended.
    ending = services.running(["dockerd"])
    try:
        services.await_end(ending, timeouts)
    except WaitTimeoutError as error:
        hint = f"end it with `kill -9 {ending['dockerd'].pid}`"
        raise PreflightError(f"the Docker engine does not answer: {error}", hint=hint, log=log) from error
    # dockerd does not start if any process has the PID in this file, even if the kernel has reused it.
    pidfile.unlink(missing_ok=True)
    services.start(
        "Docker engine",
        {"dockerd": command},
        where="docker",
        log=log,
        refusal=_refusal,
        progress=progress,
        timeouts=timeouts,
    )


def stop_ours() -> bool:
    """Stop the engine that :func:`ensure_running` has started; returns whether there was one."""
    ours = services.running(["dockerd"])
    if ours:
        services.stop(ours)
    return bool(ours)


def ensure_image(rootfs: Path, key: str, log: Path) -> str:
    """Import the node's root file system once per content ``key``; returns the image's name with its tag."""
    image = f"{NODE_IMAGE}:{key}"
    found = docker("images", "--quiet", image, log=log)
    if not found.strip():
        settings = ("--change", f'ENTRYPOINT ["{ENTRYPOINT}"]')
        docker("import", *settings, "--change", "ENV container=docker", str(rootfs), image, log=log, timeout=300)
    return image


def ensure_network(name: str, subnet: str, labels: Iterable[str], log: Path) -> None:
    """Create the machines' network with these labels, unless it exists."""
    if name not in docker("network", "ls", "--format", "{{.Name}}", log=log).split():
        docker("network", "create", "--subnet", subnet, *(f"--label={label}" for label in labels), name, log=log)


def leftovers(checkout: str) -> tuple[list[str], list[str], list[str]]:
    """Return containers (ids), networks and volumes (names) with this checkout's label; none without an engine."""
    if shutil.which("docker") is None or _refusal() is not None:
        return [], [], []
    label = f"label={LABEL}={checkout}"
    containers = containers_of(checkout)
    networks = docker("network", "ls", "--filter", label, "--format", "{{.Name}}").split()
    return containers, networks, docker("volume", "ls", "--quiet", "--filter", label).split()


def containers_of(checkout: str) -> list[str]:
    """Return the ids of the containers with this checkout's label, running or not; raises MachineError."""
    return docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}={checkout}").split()


def remove_leftovers(checkout: str, log: Path | None = None) -> int:
    """Remove containers, networks and volumes of this checkout; returns how many there were.

    Raises:
        MachineError: something could not be removed.
    """
    containers, networks, volumes = leftovers(checkout)

    def remove_containers() -> None:
        try:
            if present := containers_of(checkout):
                docker("rm", "--force", "--volumes", *present, log=log, timeout=120)
        except MachineError as error:
            if "already in progress" not in error.what:
                raise
            raise NotReady(error.what) from error  # the engine goes on with the removal of an interrupted client

    if containers:
        try:
            wait_until("containers have been removed", remove_containers, timeout=60, interval=0.2)
        except WaitTimeoutError as error:
            raise MachineError(str(error), where="docker", log=log) from error
    for network in networks:
        docker("network", "rm", network, log=log)
    if volumes:
        docker("volume", "rm", *volumes, log=log)
    return len(containers) + len(networks) + len(volumes)


def docker(*arguments: str, log: Path | None = None, timeout: float = 60) -> str:
    """Run the docker client and return its output; ``timeout`` in seconds.

    Raises:
        MachineError: it failed.
    """
    return commands.run(["docker", *arguments], error=MachineError, where="docker", timeout=timeout, log=log)
