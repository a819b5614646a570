"""Choose the network of new machines: the topology's own, or a free one where that is in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

from filelock import FileLock, Timeout

from proving_ground.core.errors import PreflightError
from proving_ground.core.topology import Topology
from proving_ground.host.routes import routes
from proving_ground.process.services import cache_directory

OTHERS = tuple(f"10.{octet}.0" for octet in range(7, 255))
"""Prefixes that are tried in their order where the topology's own network is in use."""


@contextmanager
def reserved(
    topology: Topology, *, asked: str | None, say: Callable[[str], None] = lambda _: None
) -> Iterator[str | None]:
    """Find a network that no route of this host overlaps, and keep it from this user's other runs meanwhile.

    Args:
        topology: the plan, its machines' network being what was asked for.
        asked: the prefix that was asked for, which is taken or refused; None where another one may be taken.
        say: told when another one is.

    Yields:
        the prefix to take, None for the topology's own; by the end a network has to be there, which others can see.

    Raises:
        PreflightError: it is in use, or just being taken; where another may be taken: all of them are.
    """
    own = topology.networks["machines"]
    planned = [network for name, network in topology.networks.items() if name != "machines"]
    others = ((prefix, IPv4Network(f"{prefix}.0/24")) for prefix in OTHERS if asked is None)
    reason = ""
    for prefix, network in [(asked, own), *others]:
        if network is not own and any(network.overlaps(each) for each in planned):
            continue
        with _taken(network) as refusal:
            if refusal is None:
                if reason:
                    say(f"{reason}: machines get {network}")
                yield prefix
                return
        reason = reason or refusal
    raise PreflightError(reason, where="network prefix", hint=f"choose another: --pg-network-prefix {OTHERS[0]}")


@contextmanager
def _taken(network: IPv4Network) -> Iterator[str | None]:
    """Hold ``network`` among this user's runs; yields why it cannot be taken, or None."""
    locks = cache_directory() / "networks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{network.network_address}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield f"network {network} is just being taken by another run"
        return
    try:
        yield in_use(network, routes())
    finally:
        lock.release()


def in_use(network: IPv4Network, present: list[tuple[str, IPv4Network]]) -> str | None:
    """Why machines cannot have ``network`` beside what is ``present``: devices and destinations of a host's routes."""
    for device, destination in present:
        if destination.overlaps(network):
            return f"network {network} is in use on this host ({destination} on {device})"
    return None
