"""Find, start and stop libvirt; run its client; test whether KVM works."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from proving_ground.core.errors import MachineError, PreflightError, UsageError
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process import commands, services
from proving_ground.process.services import cache_directory, managed_by_systemd

URI = "qemu:///system"
VARIABLE = "LIBVIRT_DEFAULT_URI"
"""libvirt's own environment variable that leads its clients elsewhere."""

PROGRAMS = ("virsh", "qemu-system-x86_64", "qemu-img", "dnsmasq")
DAEMONS = ("virtlogd", "libvirtd")
KVM_SECONDS = 10.0
"""Time-out of the test of KVM; with KVM a kernel needs one second to find that it has no disk."""

CLIENT_SECONDS = 60.0
"""Time-out for the client to report whether libvirt answers."""

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
    """Find a running libvirt, or start one if this process is root and no service manager would start it.

    Raises:
        PreflightError: libvirt or QEMU is not installed, this user may not use libvirt, or it does not start.
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


def check_local() -> None:
    """Raise UsageError if libvirt's own variable leads to another host: machines would be here, not where it says.

    Machines there would lack the depot, which is a directory of this host that they mount by virtiofs; and what looks
    at machines connects to their addresses, to which there is no route from here.
    """
    uri = os.environ.get(VARIABLE, "")
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        host = None
    if host:
        text = f"{uri} is another host's: its machines could not mount the depot, and there is no route to them"
        hint = f"run there, or unset {VARIABLE}; machines that are there already are tested by --pg-inventory"
        raise UsageError(text, where=VARIABLE, hint=hint)


def which(program: str) -> str | None:
    """Return the path of a program, also in /usr/sbin, which in Debian is not on users' PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def refusal() -> str | None:
    """Return the client's error if libvirt does not answer, else None."""
    command = ["virsh", "--connect", URI, "uri"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as late:
        text = f"libvirt neither answers nor refuses within {CLIENT_SECONDS:.0f} s"
        raise PreflightError(text, where="libvirt", hint="look whether it is frozen; restart it") from late
    return None if result.returncode == 0 else result.stderr


def _start(progress: Progress, timeouts: Timeouts) -> None:
    # A container's PID 1 may take seconds to reap the processes that libvirt ends, and libvirt waits for it dozens of
    # times: tini reaps them at once (bring-up of one emulated machine: 201 s → 71 s).
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
    """Stop the daemons that :func:`ensure_running` has started, unless machines use them; returns whether it did."""
    ours = services.running(reversed(DAEMONS))
    if not ours or (refusal() is None and lines("list", "--name")):
        return False
    if refusal() is None:
        # libvirtd does not remove the networks that it has started.
        for network in lines("net-list", "--name"):
            virsh("net-destroy", network)
    services.stop(ours)
    return True


def kvm_works(kernel: str, checkout: str, log: Path | None = None) -> bool:
    """Return whether KVM works: start a kernel without a disk, since the presence of /dev/kvm proves nothing.

    Args:
        kernel: its path for libvirt.
        checkout: part of the trial's name.
        log: file that receives the commands and their output.
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
        # The kernel finds no root file system, panics and reboots; on_reboot ends the trial.
        wait_until("the trial has ended", ended, timeout=KVM_SECONDS, interval=0.2)
    except WaitTimeoutError:
        virsh("destroy", name, log=log)
        return False
    return True


def prefix(checkout: str) -> str:
    """Return the prefix of the names of a checkout's machines, disks and networks."""
    return named(checkout, "")


def virsh(*arguments: str, log: Path | None = None, timeout: float = 60) -> str:
    """Run libvirt's client and return its output; ``timeout`` in seconds.

    Raises:
        MachineError: it failed.
    """
    command = ["virsh", "--connect", URI, "--quiet", *arguments]
    return commands.run(command, error=MachineError, where="libvirt", timeout=timeout, log=log)


def lines(*arguments: str, log: Path | None = None) -> list[str]:
    """Return the lines of :func:`virsh`'s output, without empty ones."""
    return [line.strip() for line in virsh(*arguments, log=log).splitlines() if line.strip()]
