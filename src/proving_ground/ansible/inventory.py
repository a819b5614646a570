"""Generate the Ansible inventory from the topology and the run's variables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from proving_ground.core.topology import Topology


def inventory(
    topology: Topology,
    *,
    user: str,
    python: str,
    controller_python: str,
    controller: dict[str, Any],
    connections: Mapping[str, Mapping[str, Any]],
    common: dict[str, Any],
) -> str:
    """Return the inventory as YAML.

    Args:
        topology: nodes, groups, networks and variables.
        user: the user who logs in to the machines.
        python: the machines' Python interpreter.
        controller_python: the Python interpreter for tasks on the controller.
        controller: variables of localhost only.
        connections: node → variables by which Ansible reaches it; empty for ssh.
        common: variables of every host.

    Returns:
        YAML with one group per topology group, the group ``nodes`` of all machines, and localhost.
    """
    hosts = {
        node.name: {"node_address": str(node.address), **connections[node.name], **node.variables}
        for node in topology.nodes
    }
    networks = {f"{name.removesuffix('s')}_network": str(network) for name, network in topology.networks.items()}
    local = {"ansible_connection": "local", "ansible_python_interpreter": controller_python, **controller}
    children: dict[str, Any] = {
        "nodes": {
            "hosts": hosts,
            "vars": {"ansible_user": user, "ansible_python_interpreter": python},
        }
    }
    for group in topology.groups:
        children[group] = {"hosts": {node.name: {} for node in topology.group(group)}}
    content = {
        "all": {
            "hosts": {"localhost": local},
            "vars": {**networks, **topology.variables, **common},
            "children": children,
        }
    }
    return yaml.safe_dump(content, sort_keys=False)
