"""Manage the disks of virtual machines: the storage pool, the box and the kernel."""

from __future__ import annotations

import shutil
from pathlib import Path

from proving_ground.core.errors import MachineError
from proving_ground.machines.vagrant_records import vagrant_home
from proving_ground.process import commands
from proving_ground.providers.libvirt_daemon import lines, refusal, virsh, which

POOL = "proving-ground"
POOL_DIRECTORY = "/var/lib/libvirt/images/proving-ground"
"""The directory of all our disks, and no others: the user of QEMU can read it, unlike some home directories."""

BOX = "proving-ground-node"
BOX_IMAGE = "_vagrant_box_image_"
"""A part of the names that Vagrant's plugin gives to boxes' images, also of other projects."""


def ensure_pool(log: Path | None = None) -> None:
    """Create and start the storage pool of our machines' disks, if needed."""
    if POOL not in lines("pool-list", "--all", "--name", log=log):
        virsh("pool-define-as", POOL, "dir", "--target", POOL_DIRECTORY, log=log)
        virsh("pool-build", POOL, log=log)
    if POOL not in lines("pool-list", "--name", log=log):
        virsh("pool-start", POOL, log=log)


def ensure_volume(name: str, source: Path, log: Path | None = None) -> str:
    """Upload ``source`` as volume ``name``, unless it exists, so that machines can read it; returns its path."""
    if name not in volumes(log):
        size = str(source.stat().st_size)
        virsh("vol-create-as", POOL, name, f"{size}B", "--format", "raw", log=log)
        try:
            virsh("vol-upload", name, str(source), "--pool", POOL, log=log, timeout=300)
        except BaseException:
            virsh("vol-delete", name, "--pool", POOL, log=log)
            raise
    return virsh("vol-path", name, "--pool", POOL, log=log).strip()


def volumes(log: Path | None = None) -> list[str]:
    """Return the names of all disks in our pool; none if the pool is not running."""
    if POOL not in lines("pool-list", "--name", log=log):
        return []
    return [line.split()[0] for line in lines("vol-list", POOL, log=log)]


def allocated(prefix: str, log: Path | None = None) -> int:
    """Return the bytes on the host of the disks whose names begin with ``prefix``."""
    virsh("pool-refresh", POOL, log=log)
    ours = [name for name in volumes(log) if name.startswith(prefix)]
    told = [line for name in ours for line in lines("vol-info", name, "--pool", POOL, "--bytes", log=log)]
    return sum(int(line.split()[1]) for line in told if line.startswith("Allocation:"))


def ensure_box(box: Path, name: str, log: Path | None = None) -> str:
    """Add the box to Vagrant as ``name``, unless Vagrant has it; the name has to depend on the content. Returns it."""
    if not (boxes() / name / "0" / "libvirt" / "metadata.json").exists():
        command = ["vagrant", "box", "add", "--force", "--provider", "libvirt", "--name", name, str(box)]
        quiet = {"VAGRANT_CHECKPOINT_DISABLE": "1", "VAGRANT_CWD": str(box.parent)}
        commands.run(command, error=MachineError, where="vagrant box add", timeout=600, log=log, env=quiet)
    return name


def boxes() -> Path:
    """Return the directory of this user's Vagrant boxes."""
    return vagrant_home() / "boxes"


def remove_boxes(log: Path | None = None) -> int:
    """Remove boxes and kernels, unless another checkout's machines use them; returns how many there were."""
    if which("virsh") is None or refusal() is not None:
        return 0
    names = volumes(log)
    # A machine's disk contains only the differences from the box.
    shared = [name for name in names if name.startswith(BOX) or BOX_IMAGE in name]
    if len(shared) != len(names):
        return 0
    for name in shared:
        virsh("vol-delete", name, "--pool", POOL, log=log)
    if POOL in lines("pool-list", "--all", "--name"):
        if POOL in lines("pool-list", "--name"):
            virsh("pool-destroy", POOL, log=log)
        virsh("pool-undefine", POOL, log=log)
    for path in boxes().glob(f"{BOX}-*"):
        shutil.rmtree(path)
    return len(shared)
