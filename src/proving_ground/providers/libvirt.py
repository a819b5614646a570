"""Provider libvirt: virtual machines from the depot's box or Flatcar's, and each machine's boot settings."""

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
"""Environment variable: the name of a Vagrant box of Flatcar, which replaces the depot's box."""


class Libvirt(VagrantProvider):
    """Virtual machines by QEMU: with KVM where a kernel starts under it, emulated where not."""

    def check(self) -> None:
        """Refuse the libvirt of another host; check that this host has the programs that create machines."""
        libvirt_daemon.check_local()
        super().check()

    def ensure_running(self, progress: Progress) -> None:
        """Find or start libvirt."""
        libvirt_daemon.ensure_running(progress, self.settings.timeouts)

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:
        """Give the box to Vagrant, find whether KVM works, choose the network of the machines' first interface."""
        checkout = self.checkout
        libvirt_storage.ensure_pool(log)
        management = libvirt_resources.free_network((network for _, network in routes()), checkout)
        nodes = topology.nodes
        public = key.with_suffix(".pub").read_text(encoding="ascii")
        with progress.step("node box"):
            entry = Depot(self.settings.depot, release=self.settings.project.release).component("machine", progress.say)
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
        """Take snapshots, which are stored in the machines' disks."""
        super().save(key, topology, view, progress, log)
        return libvirt_storage.allocated(libvirt_daemon.prefix(self.checkout), log)

    def power_off(self, vagrant: Vagrant, log: Path) -> None:  # noqa: ARG002
        """Power all machines off without Vagrant: its plugin, even with force, asks them and waits for an answer."""
        libvirt_resources.power_off(self.checkout, log)

    def remove_leftovers(self, log: Path | None = None) -> int:
        """Remove machines, networks and disks with the checkout's prefix in their names."""
        return libvirt_resources.remove_leftovers(self.checkout, log)

    def has_leftovers(self) -> bool:
        """Return whether libvirt has anything with the checkout's prefix in its name."""
        return len(libvirt_resources.leftovers(self.checkout)) > 0

    def clean(self) -> list[str]:
        """Remove boxes that no machine uses; stop libvirt if the harness started it."""
        said = [f"removed {count} disks of boxes"] if (count := libvirt_storage.remove_boxes()) else []
        return [*said, "stopped libvirt, which the harness had started"] if libvirt_daemon.stop_ours() else said


EMULATION = (
    # Otherwise the clock is a device: each reading exits from the machine, and Go's runtime reads it all the time.
    "tsc=reliable clocksource=tsc",
    # An emulated processor has every feature; page tables with five levels only take more time.
    "no5lvl",
)


def command_line(node: Node, management: IPv4Network, public_key: str, *, kvm: bool) -> str:
    """Return a kernel's command line: disk, console, and this machine's own settings (see depot/machine)."""
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
"""Flatcar's update services: one downloads a newer system, the other reboots the machine for it, even during tests."""


def ignition(node: Node, public_key: str, project: Project) -> str:
    """Return Flatcar's first-boot configuration: name, address, key, no updates; with doubled commas for QEMU."""
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
