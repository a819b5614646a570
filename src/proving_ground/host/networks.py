"""Choose the network of new machines: the topology's own, or a free one if that is in use."""

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
"""Prefixes to try in this order if the topology's own network is in use."""

AGAIN_SECONDS = 60.0
"""Time-out of the wait for another run that is looking at the network; it goes to the next one if that is in use."""

Present = list[tuple[str, IPv4Network]]
"""Device and destination of the networks in use."""


def of_this_host() -> Present:
    """Return the networks that this host has routes to."""
    return routes()


@contextmanager
def reserved(
    topology: Topology,
    *,
    asked: str | None,
    earlier: str | None = None,
    again: bool = False,
    say: Callable[[str], None] = lambda _: None,
    present: Callable[[], Present] = of_this_host,
) -> Iterator[str | None]:
    """Find a network that no route of this host overlaps, and lock it against this user's other runs.

    Args:
        topology: the topology, with its preferred network ``machines``.
        asked: the prefix that an option sets; no other is tried then. None allows any free prefix.
        earlier: the prefix of machines that come back, which is tried first: their checkpoints are of that network.
        again: whether they come back in the same run, whose tests know their addresses: no other network is tried, and
            another run that is looking at theirs is waited for.
        say: receives a line if the network is not the preferred one.
        present: returns the networks that it must not overlap; by default those that this host has routes to.

    Yields:
        the prefix to use, None for the topology's own. The caller has to create the network before the context ends:
        from then on other runs see its route.

    Raises:
        PreflightError: the network is in use, or another run is taking it; without ``asked``: all of them are.
    """
    own = topology.networks["machines"]
    planned = [network for name, network in topology.networks.items() if name != "machines"]
    others = [(prefix, IPv4Network(f"{prefix}.0/24")) for prefix in OTHERS if asked is None]
    first = [each for each in others if each[0] == earlier]
    hint = f"choose another: --pg-network-prefix {OTHERS[0]}"
    candidates: list[tuple[str | None, IPv4Network]] = [*first, (asked, own), *others]
    if again:
        hint = "another run has taken it meanwhile: run it again"
        candidates = candidates[:1]
    reason = ""
    for prefix, network in candidates:
        if network is not own and any(network.overlaps(each) for each in planned):
            continue
        with _taken(network, present, AGAIN_SECONDS if again else 0) as refusal:
            if refusal is None:
                if reason:
                    say(f"{reason}: machines get {network}")
                yield prefix
                return
        reason = reason or refusal
    raise PreflightError(reason, where="network prefix", hint=hint)


@contextmanager
def _taken(network: IPv4Network, present: Callable[[], Present], timeout: float) -> Iterator[str | None]:
    """Lock ``network`` against this user's other runs; yields why it cannot be used, or None.

    ``timeout`` is in seconds, for the wait for another run that looks at it or makes machines in it.
    """
    locks = cache_directory() / "networks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{network.network_address}.lock", timeout=timeout)
    try:
        lock.acquire()
    except Timeout:
        yield f"another run is just taking network {network}"
        return
    try:
        yield in_use(network, present())
    finally:
        lock.release()


def in_use(network: IPv4Network, present: Present) -> str | None:
    """Return why machines cannot use ``network`` beside the routes ``present`` (device, destination), or None."""
    for device, destination in present:
        if destination.overlaps(network):
            return f"network {network} is in use ({destination} on {device})"
    return None
