"""Read an existing inventory as Ansible reads it: its hosts, their groups and their variables."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from proving_ground.ansible.patterns import LOCALHOST, Patterns
from proving_ground.ansible.programs import program
from proving_ground.ansible.runner import environment
from proving_ground.core.errors import ConvergeError, UsageError
from proving_ground.core.problems import nearest, shown
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Node, Topology

SECONDS = 60.0
"""The time-out for Ansible to read an inventory; a dynamic one may ask a service elsewhere."""

ANYWHERE = IPv4Network("0.0.0.0/0")
"""The network of hosts that exist: the inventory names none."""

REASON = re.compile(r"Failed to parse inventory with '([\w.]+)' plugin: (.*)")

OWN_GROUPS = ("all", "ungrouped")


def read(settings: Settings) -> Topology:
    """Read the inventory of the settings; contacts none of its hosts.

    Args:
        settings: name the inventory and the pattern to which a run is limited.

    Returns:
        its hosts in the inventory's order. A node's address is its ``ansible_host``, or 0.0.0.0 if that is a name.

    Raises:
        UsageError: Ansible cannot read it, it has no host, or no host of it matches the pattern.
    """
    inventory = settings.inventory_file
    content = _listed(settings, inventory)
    variables = content.get("_meta", {}).get("hostvars", {})
    groups = {name: tuple(dict.fromkeys(_members(content, name))) for name in content if name != "_meta"}
    nodes = tuple(
        Node(
            name=name,
            address=_address(variables.get(name, {})),
            groups=tuple(group for group, hosts in groups.items() if name in hosts and group not in OWN_GROUPS),
            memory=0,
            cpus=0,
            variables=variables.get(name, {}),
        )
        for name in groups.get("all", ())
    )
    if not nodes:
        raise UsageError("the inventory has no host", where=shown(inventory), hint="add one, or name another inventory")
    topology = Topology(settings.topology, nodes, {"machines": ANYWHERE}, {}, existing=True)
    return _limited(topology, settings.limit) if settings.limit else topology


def _listed(settings: Settings, inventory: Path) -> dict[str, Any]:
    """Return the inventory as ``ansible-inventory --list`` has it."""
    beside = (settings.root / settings.playbook).parent if settings.has_playbook else settings.root
    own = {"ANSIBLE_INVENTORY_UNPARSED_FAILED": "true", "ANSIBLE_VERBOSITY": "0"}
    seconds = settings.timeouts.seconds(SECONDS)
    try:
        done = subprocess.run(
            [program("ansible-inventory"), "--list", "--inventory", str(inventory), "--playbook-dir", str(beside)],
            cwd=settings.root,
            env=os.environ | environment(settings, settings.timeouts) | own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as late:
        text = f"Ansible did not read it within {seconds:.0f} s"
        raise UsageError(text, where=shown(inventory), hint="see what a dynamic inventory waits for") from late
    if done.returncode != 0:
        hint = f"see ansible-inventory --list -i {shown(inventory)}"
        raise UsageError(reason(inventory, done.stderr), where=shown(inventory), hint=hint)
    return dict(json.loads(done.stdout))


def reason(inventory: Path, said: str) -> str:
    """Return why Ansible cannot read an inventory, in one line.

    Ansible tries one plugin after the other and warns of each; the one that was meant shows in the file.

    Args:
        inventory: its path.
        said: what Ansible wrote to standard error.
    """
    reasons = dict(REASON.findall(said))
    if os.access(inventory, os.X_OK) and "script" in reasons:
        words = said.partition("Standard error from inventory script:\n")[2].partition("[WARNING]")[0].split()
        return f"{reasons['script']} It said: {' '.join(words)}" if words else reasons["script"]
    meant = "yaml" if inventory.suffix in {".yml", ".yaml"} else "ini"
    known = reasons.get(meant) or next(iter(reasons.values()), "")
    errors = re.findall(r"(?:\[ERROR\]|ERROR!):? ?(.*)", said)
    return known or next(iter(errors), "") or "Ansible cannot read it"


def _members(content: dict[str, Any], group: str) -> Iterator[str]:
    """Yield the hosts of a group and of the groups in it, in the inventory's order; names may repeat."""
    found = content.get(group, {})
    yield from found.get("hosts", ())
    for child in found.get("children", ()):
        yield from _members(content, child)


def _address(variables: dict[str, Any]) -> IPv4Address:
    try:
        return IPv4Address(str(variables.get("ansible_host")))
    except ValueError:
        return ANYWHERE.network_address


def _limited(topology: Topology, pattern: str) -> Topology:
    """Return the topology with the nodes that match a pattern alone."""
    try:
        names = Patterns(topology).hosts(pattern)
    except ConvergeError as error:
        raise UsageError(error.what, where=f"--pg-limit {pattern!r}") from error
    nodes = tuple(node for node in topology.nodes if node.name in names)
    if not nodes:
        known = [*topology.groups, *(node.name for node in topology.nodes if node.name != LOCALHOST)]
        text = f"no host of the inventory matches {pattern!r}"
        raise UsageError(text, where="--pg-limit", hint=nearest(pattern, known))
    return Topology(topology.name, nodes, topology.networks, topology.variables, existing=True)
