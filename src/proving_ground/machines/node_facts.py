"""Read a machine's addresses, routes, listening sockets and units as data."""

from __future__ import annotations

import json
from typing import Any

from testinfra.host import Host


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
    for line in host.check_output("ss -Hltn").splitlines():
        address, _, port = line.split()[3].rpartition(":")
        address = address.split("%")[0].strip("[]")
        found.setdefault(int(port), set()).add("*" if address in {"0.0.0.0", "::", "*"} else address)
    return found


def unit_state(host: Host, unit: str) -> str:
    """Return a unit's state in systemd, such as ``active (running)``."""
    shown = host.check_output(f"systemctl show --property=ActiveState,SubState --value {unit}").split()
    return f"{shown[0]} ({shown[1]})"
