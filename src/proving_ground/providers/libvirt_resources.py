"""List, power off and remove a checkout's objects in libvirt: machines, networks, disks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from proving_ground.core.errors import PreflightError
from proving_ground.providers.libvirt_daemon import lines, prefix, refusal, virsh, which
from proving_ground.providers.libvirt_storage import POOL, volumes


def free_network(present: Iterable[IPv4Network], checkout: str) -> IPv4Network:
    """Find an unused network for the machines' first interface; the search starts at a number of the checkout's own.

    Raises:
        PreflightError: no network is free.
    """
    taken = list(present)
    start = int(checkout, 16)
    for number in range(120):
        network = IPv4Network(f"192.168.{130 + (start + number) % 120}.0/24")
        if not any(network.overlaps(other) for other in taken):
            return network
    raise PreflightError("no network between 192.168.130.0 and 192.168.249.0 is free", where="libvirt")


@dataclass(frozen=True)
class Leftovers:
    """Names of a checkout's objects in libvirt."""

    domains: list[str]
    networks: list[str]
    volumes: list[str]

    def __len__(self) -> int:
        return len(self.domains) + len(self.networks) + len(self.volumes)


def leftovers(checkout: str) -> Leftovers:
    """Return a checkout's objects; none if libvirt does not answer."""
    if which("virsh") is None or refusal() is not None:
        return Leftovers([], [], [])

    def ours(names: Iterable[str]) -> list[str]:
        return [name for name in names if name.startswith(prefix(checkout))]

    domains, networks = lines("list", "--all", "--name"), lines("net-list", "--all", "--name")
    return Leftovers(ours(domains), ours(networks), ours(volumes()))


def power_off(checkout: str, log: Path | None = None) -> None:
    """Power off the running machines of this checkout; their disks stay."""
    for name in lines("list", "--name"):
        if name.startswith(prefix(checkout)):
            virsh("destroy", name, log=log)


def remove_leftovers(checkout: str, log: Path | None = None) -> int:
    """Remove machines, networks and disks of this checkout; returns how many there were."""
    left = leftovers(checkout)
    if left.domains:
        running = lines("list", "--name")
        kept = lines("list", "--all", "--persistent", "--name")
        for name in left.domains:
            if name in running:
                virsh("destroy", name, log=log)
            if name in kept:
                virsh("undefine", name, "--nvram", "--snapshots-metadata", log=log)
    if left.networks:
        active = lines("net-list", "--name")
        kept = lines("net-list", "--all", "--persistent", "--name")
        for name in left.networks:
            if name in active:
                virsh("net-destroy", name, log=log)
            if name in kept:
                virsh("net-undefine", name, log=log)
    for name in left.volumes:
        virsh("vol-delete", name, "--pool", POOL, log=log)
    return len(left)
