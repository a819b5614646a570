"""Keep the disks of virtual machines: the pool, the box and kernel handed over, their removal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from proving_ground.core.errors import MachineError
from proving_ground.process import commands
from proving_ground.providers.libvirt_daemon import lines, refusal, virsh, which

POOL = "proving-ground"
POOL_DIRECTORY = "/var/lib/libvirt/images/proving-ground"
"""All disks of ours, and no one else's: a home may be closed to the user that machines run as, this place is not."""

BOX = "proving-ground-node"
BOX_IMAGE = "_vagrant_box_image_"
"""Part of the names that Vagrant's plugin gives to the images of boxes, ours or not."""


def ensure_pool(log: Path | None = None) -> None:
    """Have the storage pool of our machines' disks, running."""
    if POOL not in lines("pool-list", "--all", "--name", log=log):
        virsh("pool-define-as", POOL, "dir", "--target", POOL_DIRECTORY, log=log)
        virsh("pool-build", POOL, log=log)
    if POOL not in lines("pool-list", "--name", log=log):
        virsh("pool-start", POOL, log=log)


def ensure_volume(name: str, source: Path, log: Path | None = None) -> str:
    """Have the content of ``source`` where machines can read it, once a ``name``; returns that path."""
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
    """Names of all disks in our pool; none when there is no pool."""
    if POOL not in lines("pool-list", "--name", log=log):
        return []
    return [line.split()[0] for line in lines("vol-list", POOL, log=log)]


def allocated(prefix: str, log: Path | None = None) -> int:
    """Bytes on the host that disks take whose names begin with ``prefix``."""
    virsh("pool-refresh", POOL, log=log)
    ours = [name for name in volumes(log) if name.startswith(prefix)]
    told = [line for name in ours for line in lines("vol-info", name, "--pool", POOL, "--bytes", log=log)]
    return sum(int(line.split()[1]) for line in told if line.startswith("Allocation:"))


def ensure_box(box: Path, name: str, log: Path | None = None) -> str:
    """Let Vagrant know the box, once a ``name``, which has to tell of its content; returns that."""
    if not (boxes() / name / "0" / "libvirt" / "metadata.json").exists():
        command = ["vagrant", "box", "add", "--force", "--provider", "libvirt", "--name", name, str(box)]
        quiet = {"VAGRANT_CHECKPOINT_DISABLE": "1", "VAGRANT_CWD": str(box.parent)}
        commands.run(command, error=MachineError, where="vagrant box add", timeout=600, log=log, env=quiet)
    return name


def boxes() -> Path:
    """Where Vagrant keeps this user's boxes."""
    return Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d") / "boxes"


def remove_boxes(log: Path | None = None) -> int:
    """Remove boxes and kernels, unless another checkout's machines stand on them; returns how many there were."""
    if which("virsh") is None or refusal() is not None:
        return 0
    names = volumes(log)
    # A machine's disk holds only what differs from the box.
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
