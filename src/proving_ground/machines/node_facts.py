"""Read a machine's addresses, routes, listening sockets and units as data, and what scripts print in sections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testinfra.host import Host

SOCKETS = "ss --no-header --numeric --listening --tcp --udp --processes"
"""Prints what :func:`sockets` reads."""


@dataclass(frozen=True)
class Socket:
    """A socket that listens.

    Attributes:
        protocol: ``tcp`` or ``udp``.
        address: where it listens; ``*`` for all addresses.
        port: its port.
        process: the process' name, of which the kernel keeps 15 characters; empty for a socket of the kernel's.
    """

    protocol: str
    address: str
    port: int
    process: str


def sockets(shown: str) -> Iterator[Socket]:
    """Yield the sockets in the output of :data:`SOCKETS`."""
    for line in shown.splitlines():
        protocol, _, _, _, local, _, *users = line.split(maxsplit=6)
        address, _, port = local.rpartition(":")
        address = address.partition("%")[0].strip("[]").removeprefix("::ffff:")
        process = users[0].split('"')[1] if users and '"' in users[0] else ""
        yield Socket(protocol, "*" if address in {"0.0.0.0", "::", "*"} else address, int(port), process)


def sections_of(shown: str) -> dict[str, str]:
    """Return name → text of the sections of a script's output, each of which begins with a line ``@@ NAME``."""
    found = {}
    for part in f"\n{shown}".split("\n@@ ")[1:]:
        name, _, text = part.partition("\n")
        found[name] = text.strip()
    return found


def ip(host: Host, *arguments: str) -> list[dict[str, Any]]:
    """Return the decoded output of ``ip -json``: ``ip(host, "-4", "route", "show")``."""
    return list(json.loads(host.check_output(f"ip -json {' '.join(arguments)}") or "[]"))


def addresses(host: Host) -> set[str]:
    """Return the node's IPv4 addresses, except loopback."""
    return {
        str(entry["local"])
        for interface in ip(host, "-4", "address", "show")
        for entry in interface["addr_info"]
        if not str(entry["local"]).startswith("127.")
    }


def listeners(host: Host) -> dict[int, set[str]]:
    """Return listening TCP port → the addresses that it listens on; ``*`` for all addresses."""
    found: dict[int, set[str]] = {}
    for socket in sockets(host.check_output(SOCKETS)):
        if socket.protocol == "tcp":
            found.setdefault(socket.port, set()).add(socket.address)
    return found


def unit_state(host: Host, unit: str) -> str:
    """Return a unit's state in systemd, such as ``active (running)``."""
    shown = host.check_output(f"systemctl show --property=ActiveState,SubState --value {unit}").split()
    return f"{shown[0]} ({shown[1]})"
