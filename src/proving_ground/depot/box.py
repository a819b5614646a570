"""Build a Vagrant box for libvirt: a node's root file system and a kernel's modules on one disk, not configured."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from proving_ground.core.errors import PreflightError
from proving_ground.depot import tar
from proving_ground.depot.job import Job

DISK_GIB = 16
"""Size of the disk in a machine; unused space takes none on the host."""

PROGRAMS = {"mke2fs": "e2fsprogs", "qemu-img": "qemu-utils", "tar": "tar"}
FAKEROOT = "fakeroot"
"""Records files' owners for users other than root, even if AppArmor forbids user namespaces (Ubuntu 24.04)."""
FIXED = "6e6f6465-0000-4000-8000-70726f76696e"
"""UUID of the file system and seed of its directories' hashes, so that the same input makes the same disk."""


def preflight() -> None:
    """Raise PreflightError if a program is missing."""
    for program, package in (PROGRAMS if os.geteuid() == 0 else PROGRAMS | {FAKEROOT: FAKEROOT}).items():
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            text = f"{program} is not installed (package {package})"
            raise PreflightError(text, where="depot", hint="run `scripts/setup libvirt`")


def build(job: Job) -> dict[str, Any]:
    """Write ``machine.box`` (disk and its description), ``vmlinuz`` and ``initrd``.

    The recipe's keys: ``parts`` (``rootfs`` and ``kernel``: tars of other components; the kernel's has ``vmlinuz``,
    ``initrd`` and ``root``, whose files it copies over the root file system).

    Returns:
        no facts.
    """
    parts = {name: job.input_file(reference) for name, reference in job.component.settings["parts"].items()}
    root, disk, image = job.out / "root", job.out / "disk.raw", job.out / "box.img"
    steps = [
        f"tar -xf {quote(parts['kernel'])} -C {quote(job.out)} vmlinuz initrd",
        f"mkdir {quote(root)}",
        # The kernel creates devices (devtmpfs); users other than root may not.
        f"tar --numeric-owner --exclude='./dev/*' -xpf {quote(parts['rootfs'])} -C {quote(root)}",
        f"tar --strip-components=1 --keep-directory-symlink -xpf {quote(parts['kernel'])} -C {quote(root)} root",
        f"truncate --size={DISK_GIB}G {quote(disk)}",
        # A machine lives for minutes and is never repaired: no journal, which would write everything twice.
        f"mke2fs -q -t ext4 -O ^has_journal -m 0 -U {FIXED} -E hash_seed={FIXED} -d {quote(root)} {quote(disk)}",
        f"rm -rf {quote(root)}",
    ]
    # To keep the files' owners on the disk, mke2fs needs root or fakeroot.
    become = [] if os.geteuid() == 0 else [FAKEROOT]
    environment = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    job.run([*become, "sh", "-euc", "\n".join(steps)], env=environment)
    job.run(["qemu-img", "convert", "-O", "qcow2", str(disk), str(image)])
    description = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_GIB}
    contents: list[tuple[str, bytes | Path]] = [
        ("metadata.json", json.dumps(description).encode()),
        ("Vagrantfile", b""),
        ("box.img", image),
    ]
    tar.of_bytes(contents, job.out / "machine.box")
    for path in (disk, image):
        path.unlink()
    return {}


def quote(value: object) -> str:
    """Quote a value for a shell command."""
    return shlex.quote(str(value))
