"""Assign each machine an address in the topology's networks. Pure."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.kinds import number
from proving_ground.core.problems import Problem

MACHINES = "10.0.0.0/24"
"""The machines' network if the topology defines none."""

FIRST_OCTET = 11
"""Machines of a kind without ``octet`` get the free octets from this one on."""


def networks_of(raw: dict[str, str], network_prefix: str | None) -> tuple[dict[str, IPv4Network], list[Problem]]:
    """Return the networks by name, including ``machines``, and the problems in their definitions.

    Args:
        raw: the mapping ``networks`` of a topology file.
        network_prefix: first three octets that replace those of ``machines``, or None.

    Raises:
        UsageError: the prefix is invalid.
    """
    networks: dict[str, IPv4Network] = {}
    problems = []
    for name, text in {"machines": MACHINES, **raw}.items():
        if name == "machines" and network_prefix is not None:
            networks[name] = with_prefix(network_prefix)
            continue
        try:
            networks[name] = IPv4Network(text)
        except ValueError:
            problems.append(Problem(("networks", name), f"{text!r} is no IPv4 network", "write it like 10.0.0.0/24"))
    for (one, left), (other, right) in itertools.combinations(networks.items(), 2):
        if left.overlaps(right):
            text = f"networks {one} ({left}) and {other} ({right}) overlap"
            problems.append(Problem(("networks", other), text, "change one"))
    return networks, problems


def with_prefix(network_prefix: str) -> IPv4Network:
    """Return the machines' network with this prefix; raises UsageError if the prefix is invalid."""
    text = f"{network_prefix}.0/24"
    try:
        return IPv4Network(text)
    except ValueError as error:
        hint = "write three octets, such as 10.8.0"
        raise UsageError(f"{text!r} is no IPv4 network", where="--pg-network-prefix", hint=hint) from error


def addresses_of(
    kinds: dict[str, dict[str, Any]], network: IPv4Network, names: dict[str, list[str]]
) -> tuple[dict[str, list[IPv4Address]], list[Problem]]:
    """Return the addresses of each kind's machines, and the problems with them.

    Args:
        kinds: entries of the topology file by kind; machines of a kind without ``octet`` get free octets.
        network: the machines' network.
        names: of each kind's machines.
    """
    end = network.num_addresses - 1  # the last address is for broadcasts
    given = {
        kind: range(int(entry["octet"]), int(entry["octet"]) + number(entry))
        for kind, entry in kinds.items()
        if "octet" in entry
    }
    taken = {octet: kind for kind, octets in reversed(given.items()) for octet in octets}
    free = iter(octet for octet in range(FIRST_OCTET, end) if octet not in taken)
    addresses: dict[str, list[IPv4Address]] = {}
    problems = []
    for kind, entry in kinds.items():
        octets = list(given.get(kind) or itertools.islice(free, number(entry)))
        if len(octets) < number(entry) or not 1 < octets[0] <= octets[-1] < end:
            what = f"octet {octets[0]} leaves {network}" if kind in given else f"no address is left in {network}"
            problems.append(Problem(("machines", kind), what, "choose another octet or network"))
        elif kind in given and (shared := [octet for octet in octets if taken[octet] != kind]):
            other, own = taken[shared[0]], names[kind][shared[0] - octets[0]]
            what = f"{names[other][shared[0] - given[other][0]]} and {own} share {network[shared[0]]}"
            problems.append(Problem(("machines", kind), what, "choose another octet"))
        else:
            addresses[kind] = [network[octet] for octet in octets]
    return addresses, problems
