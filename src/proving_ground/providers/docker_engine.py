"""The Docker engine: find it or start it; import the image of Vagrant's containers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from proving_ground.core.errors import PreflightError
from proving_ground.core.polling import WaitTimeoutError
from proving_ground.core.progress import Progress
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import services
from proving_ground.process.commands import last_words
from proving_ground.process.programs import not_installed
from proving_ground.process.services import cache_directory
from proving_ground.providers.engine import Engine

NODE_IMAGE = "proving-ground/node"
ENTRYPOINT = "/usr/lib/proving-ground/entrypoint"

CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "DAC_READ_SEARCH", "IPC_LOCK", "IPC_OWNER", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST", "SYSLOG", "SYS_ADMIN", "SYS_BOOT"),
    *("SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)
"""A machine's capabilities besides Docker's default fourteen: all but SYS_RESOURCE, which a host's root may lack. By
name: in Docker 20.10 "ALL" is more than such a host has, and Docker 26 refuses to drop one that its host lacks."""

CREATE_ARGUMENTS = (
    # All rights that systemd, containerd and a kubelet need: --privileged fails on hosts whose root lacks SYS_RESOURCE.
    *(word for name in CAPABILITIES for word in ("--cap-add", name)),
    *("--device-cgroup-rule", "a *:* rwm"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"),
    *("--security-opt", "apparmor=unconfined", "--cgroupns", "private"),
    *("--tmpfs", "/run:exec", "--tmpfs", "/tmp:exec", "--stop-signal", "SIGRTMIN+3"),
)

USUAL_HOST = "unix:///var/run/docker.sock"
"""The address of the engine that the client uses if nobody has told it otherwise."""


class DockerEngine(Engine):
    """The Docker engine of this host, or where the client's context or ``DOCKER_HOST`` leads."""

    program = "docker"
    title = "the Docker engine"
    probe = ("version",)
    version = ("version", "--format", "{{.Server.Version}} {{.Server.KernelVersion}}")

    def ensure_running(self, progress: Progress, timeouts: Timeouts = USUAL) -> None:
        """Find a running engine, or start one if this process is root and no service manager would start it.

        Raises:
            PreflightError: Docker is not installed, this user may not use it, or it does not start.
        """
        if shutil.which("docker") is None:
            raise not_installed("docker")
        refusal = self.refusal()
        if refusal is None:
            return
        if (elsewhere := self._elsewhere()) is not None:
            told = "`engines` in [tool.proving-ground]" if self.address else "DOCKER_HOST"
            hint = f"look at {told}, and at `docker context ls`"
            text = f"the Docker engine at {elsewhere} does not answer: {last_words(refusal)}"
            raise PreflightError(text, where="docker", hint=hint)
        if "permission denied" in refusal.lower():
            raise PreflightError("docker may not be used by this user", hint="add the user to the group docker")
        if services.managed_by_systemd():
            raise PreflightError("the Docker engine is not running", hint="run `sudo systemctl start docker`")
        if os.geteuid() != 0 or shutil.which("dockerd") is None:
            raise PreflightError("the Docker engine is not running", hint="start dockerd as root")
        self._start(progress, timeouts)

    def stop_ours(self) -> bool:
        """Stop the engine that :meth:`ensure_running` has started; return whether there was one."""
        ours = services.running(["dockerd"])
        if ours:
            services.stop(ours)
        return bool(ours)

    def _elsewhere(self) -> str | None:
        """Return the address of the engine that the client is told to use; None if it is the usual one here."""
        if self.address:
            return self.address
        if host := os.environ.get("DOCKER_HOST"):
            return None if host == USUAL_HOST else host
        host = self.answer("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").stdout.strip()
        return None if host in {"", USUAL_HOST} else host

    def _start(self, progress: Progress, timeouts: Timeouts) -> None:
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
            refusal=self.refusal,
            progress=progress,
            timeouts=timeouts,
        )


DOCKER = DockerEngine()
"""The engine itself."""


def ensure_image(rootfs: Path, key: str, log: Path) -> str:
    """Import the node's root file system once per content ``key``; returns the image's name with its tag."""
    image = f"{NODE_IMAGE}:{key}"
    found = DOCKER.run("images", "--quiet", image, log=log)
    if not found.strip():
        settings = ("--change", f'ENTRYPOINT ["{ENTRYPOINT}"]')
        DOCKER.run("import", *settings, "--change", "ENV container=docker", str(rootfs), image, log=log, timeout=300)
    return image
