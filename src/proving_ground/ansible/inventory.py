"""Generate the Ansible inventory from the topology and the run's variables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from proving_ground.core.kinds import NODES
from proving_ground.core.topology import Topology


def inventory(
    topology: Topology,
    *,
    user: str,
    python: str,
    connections: Mapping[str, Mapping[str, Any]],
    common: dict[str, Any],
) -> str:
    """Return the inventory as YAML.

    Args:
        topology: nodes, groups, networks and variables.
        user: the user who logs in to the machines.
        python: the machines' Python interpreter.
        connections: node → variables by which Ansible reaches it; empty for ssh.
        common: variables of every host.

    Returns:
        YAML with one group per topology group, and the group ``nodes`` of all machines. It does not name localhost, so
        that ``hosts: all`` means the machines; Ansible adds localhost by itself to plays that name it.
    """
    hosts = {
        node.name: {"node_address": str(node.address), **connections[node.name], **node.variables}
        for node in topology.nodes
    }
    networks = {f"{name.removesuffix('s')}_network": str(network) for name, network in topology.networks.items()}
    children: dict[str, Any] = {
        NODES: {
            "hosts": hosts,
            "vars": {
                "ansible_user": user,
                "ansible_python_interpreter": python,
                **topology.group_variables.get(NODES, {}),
            },
        }
    }
    for group in topology.groups:
        children[group] = {"hosts": {node.name: {} for node in topology.group(group)}}
        if variables := topology.group_variables.get(group):
            children[group]["vars"] = variables
    content = {
        "all": {
            "vars": {**networks, **topology.variables, **common},
            "children": children,
        }
    }
    return yaml.safe_dump(content, sort_keys=False)
