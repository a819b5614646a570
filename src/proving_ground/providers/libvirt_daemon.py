"""Find or start libvirt; hand over box and kernel, try KVM, remove leftovers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import commands, services
from proving_ground.process.services import cache_directory, managed_by_systemd

URI = "qemu:///system"
PROGRAMS = ("virsh", "qemu-system-x86_64", "qemu-img", "dnsmasq")
DAEMONS = ("virtlogd", "libvirtd")
KVM_SECONDS = 10.0
"""With KVM a kernel needs one second to find that it has no disk."""

CLIENT_SECONDS = 60.0
"""For the client to say whether it gets an answer."""

HINT = "run `scripts/setup libvirt`"

PROBE = """\
<domain type='kvm'>
  <name>{name}</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
  <os><type>hvm</type><kernel>{kernel}</kernel><cmdline>panic=-1</cmdline></os>
  <features><acpi/></features><cpu mode='host-passthrough'/>
  <on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
  <devices><memballoon model='none'/></devices>
</domain>
"""


def ensure_running(progress: Progress, timeouts: Timeouts = USUAL) -> None:
    """Find a running libvirt, or start one when this process may and nobody else would.

    Raises:
        PreflightError: libvirt or QEMU is not installed, not allowed, or does not start.
    """
    for program in PROGRAMS:
        if which(program) is None:
            raise PreflightError(f"{program} is not installed", where="libvirt", hint=HINT)
    words = refusal()
    if words is None:
        return
    if "permission denied" in words.lower() or "authentication" in words.lower():
        raise PreflightError("libvirt may not be used by this user", hint="add the user to the group libvirt")
    if managed_by_systemd():
        raise PreflightError("libvirt is not running", hint="run `sudo systemctl start libvirtd`")
    if os.geteuid() != 0 or any(which(daemon) is None for daemon in DAEMONS):
        raise PreflightError("libvirt is not running", hint=f"start libvirtd as root, or {HINT}")
    _start(progress, timeouts)


def which(program: str) -> str | None:
    """Where a program is; Debian keeps some where it does not look for users."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def refusal() -> str | None:
    """What libvirt's client says when it gets no answer; None when it gets one."""
    command = ["virsh", "--connect", URI, "uri"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as late:
        text = f"libvirt neither answers nor refuses within {CLIENT_SECONDS:.0f} s"
        raise PreflightError(text, where="libvirt", hint="look whether it is frozen; restart it") from late
    return None if result.returncode == 0 else result.stderr


def _start(progress: Progress, timeouts: Timeouts) -> None:
    # A container's PID 1 may take seconds to reap what libvirt has ended, and libvirt waits for it, dozens of times: a
    # reaper of our own does it at once (bring-up of one emulated machine: 201 s → 71 s).
    reaper = [tini, "-s", "--"] if (tini := which("tini")) else []
    cache = cache_directory()
    commands = {
        daemon: [*reaper, which(daemon) or daemon, "--pid-file", str(cache / f"{daemon}.pid")] for daemon in DAEMONS
    }
    log = cache / "libvirtd.log"
    services.start(
        "libvirt",
        commands,
        where="libvirt",
        log=log,
        refusal=refusal,
        progress=progress,
        timeouts=timeouts,
    )


def stop_ours() -> bool:
    """End the daemons that :func:`ensure_running` once started, unless machines use them; says whether it did."""
    ours = services.running(reversed(DAEMONS))
    if not ours or (refusal() is None and lines("list", "--name")):
        return False
    if refusal() is None:
        # What libvirtd brings up by itself, it leaves up.
        for network in lines("net-list", "--name"):
            virsh("net-destroy", network)
    services.stop(ours)
    return True


def kvm_works(kernel: str, checkout: str, log: Path | None = None) -> bool:
    """Whether a kernel starts under KVM: a device that can be opened says nothing, so one is started without a disk.

    Args:
        kernel: its path, as libvirt sees it.
        checkout: names the trial.
        log: gets what was run.
    """
    try:
        virsh("domcapabilities", "--virttype", "kvm", log=log)
    except MachineError:
        return False
    name = f"{prefix(checkout)}trial"
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(PROBE.format(name=name, kernel=kernel))
        file.flush()
        try:
            virsh("create", file.name, log=log)
        except MachineError:
            return False

    def ended() -> None:
        if name in lines("list", "--all", "--name"):
            raise NotReady("its kernel has not started")

    try:
        # It finds no root file system, panics, starts anew, and that ends it.
        wait_until("the trial has ended", ended, timeout=KVM_SECONDS, interval=0.2)
    except WaitTimeoutError:
        virsh("destroy", name, log=log)
        return False
    return True


def prefix(checkout: str) -> str:
    """What names of a checkout's machines, disks and networks begin with."""
    return named(checkout, "")


def virsh(*arguments: str, log: Path | None = None, timeout: float = 60) -> str:
    """Run libvirt's client and return its output; ``timeout`` in seconds.

    Raises:
        MachineError: it failed.
    """
    command = ["virsh", "--connect", URI, "--quiet", *arguments]
    return commands.run(command, error=MachineError, where="libvirt", timeout=timeout, log=log)


def lines(*arguments: str, log: Path | None = None) -> list[str]:
    """Output of :func:`virsh`, by line, without empty ones."""
    return [line.strip() for line in virsh(*arguments, log=log).splitlines() if line.strip()]
