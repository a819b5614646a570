"""Provider libvirt: virtual machines of the depot's box or of Flatcar's, and the settings each boots with."""

from __future__ import annotations

import base64
import json
import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import Depot, View
from proving_ground.host.routes import routes
from proving_ground.machines.vagrant import Vagrant
from proving_ground.providers import libvirt_daemon, libvirt_resources, libvirt_storage
from proving_ground.providers.vagrant import VagrantProvider

FLATCAR = "FLATCAR_BOX"
"""Environment variable: a Vagrant box of Flatcar, used instead of the depot's node."""


class Libvirt(VagrantProvider):
    """Virtual machines by QEMU: with KVM where a kernel starts under it, emulated where not."""

    def ensure_running(self, progress: Progress) -> None:
        """Find or start libvirt."""
        libvirt_daemon.ensure_running(progress, self.settings.timeouts)

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:
        """Hand the box over, find out how machines are run, choose the network of their first interface."""
        checkout = self.checkout
        libvirt_storage.ensure_pool(log)
        management = libvirt_resources.free_network((network for _, network in routes()), checkout)
        nodes = topology.nodes
        public = key.with_suffix(".pub").read_text(encoding="ascii")
        with progress.step("node box"):
            entry = Depot(self.settings.depot).component("machine", progress.say)
            box = f"{libvirt_storage.BOX}-{entry.path.name}"
            kernel = libvirt_storage.ensure_volume(f"{box}-vmlinuz", entry.file("vmlinuz"), log)
        with progress.step("KVM"):
            kvm = libvirt_daemon.kvm_works(kernel, checkout, log)
        progress.say("machines run with KVM" if kvm else "KVM starts no kernel here: machines are emulated, slowly")
        if flatcar := os.environ.get(FLATCAR):
            configurations = {node.name: ignition(node, public, self.settings.project) for node in nodes}
            start: dict[str, Any] = {"box": flatcar, "ignition": configurations}
        else:
            start = {
                "box": libvirt_storage.ensure_box(entry.file("machine.box"), box, log),
                "kernel": kernel,
                "initrd": libvirt_storage.ensure_volume(f"{box}-initrd", entry.file("initrd"), log),
                "command_lines": {node.name: command_line(node, management, public, kvm=kvm) for node in nodes},
            }
        return {
            **super().prepare(topology, view, key, progress, log),
            **start,
            "kvm": kvm,
            "pool": libvirt_storage.POOL,
            "network": f"{libvirt_daemon.prefix(checkout)}private",
            "management_network": f"{libvirt_daemon.prefix(checkout)}nat",
            "management_address": str(management),
        }

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:
        """Take snapshots; they lie in the machines' disks."""
        super().save(key, topology, view, progress, log)
        return libvirt_storage.allocated(libvirt_daemon.prefix(self.checkout), log)

    def power_off(self, vagrant: Vagrant, log: Path) -> None:  # noqa: ARG002
        """Switch all machines off, past Vagrant: its plugin asks them even with force, and waits for an answer."""
        libvirt_resources.power_off(self.checkout, log)

    def remove_leftovers(self, log: Path | None = None) -> int:
        """Remove machines, networks and disks whose names are the checkout's."""
        return libvirt_resources.remove_leftovers(self.checkout, log)

    def has_leftovers(self) -> bool:
        """Whether libvirt knows of anything with the checkout's name."""
        return len(libvirt_resources.leftovers(self.checkout)) > 0

    def clean(self) -> list[str]:
        """Remove boxes that no machine stands on; end libvirt if the harness started it."""
        said = [f"removed {count} disks of boxes"] if (count := libvirt_storage.remove_boxes()) else []
        return [*said, "stopped libvirt, which had been started"] if libvirt_daemon.stop_ours() else said


EMULATION = (
    # Otherwise the clock is a device: one exit from the machine for each look at it, and Go looks all the time.
    "tsc=reliable clocksource=tsc",
    # An emulated processor has every feature there is; five levels of page tables only cost time.
    "no5lvl",
)


def command_line(node: Node, management: IPv4Network, public_key: str, *, kvm: bool) -> str:
    """A kernel's command line: the disk, the console, and what makes this machine itself (see depot/machine)."""
    return " ".join(
        [
            "root=/dev/vda console=ttyS0 net.ifnames=0 mitigations=off",
            *(() if kvm else EMULATION),
            f"systemd.hostname={node.name}",
            f"proving-ground.name={node.name}",
            f"proving-ground.address={node.address}/24",
            f"proving-ground.nameserver={next(management.hosts())}",
            f"proving-ground.key={base64.b64encode(public_key.encode()).decode()}",
        ]
    )


UPDATES = ("update-engine.service", "locksmithd.service")
"""Flatcar's: one fetches a newer system, the other starts the machine anew for it, whatever is being tested there."""


def ignition(node: Node, public_key: str, project: Project) -> str:
    """What Flatcar is told at its first boot: name, address, key, no updates; as QEMU takes it, with commas doubled."""
    network = f"[Match]\nName={project.interface}\n\n[Network]\nAddress={node.address}/24\nLinkLocalAddressing=no\n"
    files = {"/etc/hostname": f"{node.name}\n", "/etc/systemd/network/20-machines.network": network}
    content = {
        "ignition": {"version": "3.3.0"},
        "passwd": {"users": [{"name": project.user, "sshAuthorizedKeys": [public_key.strip()]}]},
        "systemd": {"units": [{"name": unit, "mask": True} for unit in UPDATES]},
        "storage": {
            "files": [
                {
                    "path": path,
                    "mode": 0o644,
                    "overwrite": True,
                    "contents": {"source": f"data:;base64,{base64.b64encode(text.encode()).decode()}"},
                }
                for path, text in files.items()
            ]
        },
    }
    return json.dumps(content, separators=(",", ":")).replace(",", ",,")
