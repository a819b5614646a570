"""List the networks that this host has routes to; machines' networks must not overlap them."""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Network

from proving_ground.core.errors import PreflightError


def routes() -> list[tuple[str, IPv4Network]]:
    """Return device and destination of the host's IPv4 routes, without the default route."""
    result = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, text=True, check=False, timeout=10)
    if result.returncode != 0:
        raise PreflightError("`ip route` failed", hint="install iproute2")
    entries = json.loads(result.stdout or "[]")
    return [(entry.get("dev", "?"), IPv4Network(entry["dst"])) for entry in entries if entry["dst"] != "default"]
