"""Find the hosts that a play's pattern means; let Ansible match everything that is more than names."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from proving_ground.core.errors import ConvergeError
from proving_ground.core.topology import Topology

if TYPE_CHECKING:
    from ansible.inventory.manager import InventoryManager

LOCALHOST, NODES = "localhost", "nodes"
"""What every inventory of ours has (:mod:`proving_ground.ansible.inventory`): the controller, and all machines."""

SEPARATORS = re.compile(r"\s*[:,]\s*")


NAME = re.compile(r"\w[\w.-]*")
"""A group or a host, and not a pattern."""


class Patterns:
    """The hosts of a topology, as plays name them.

    Ansible's matching is loaded only for a pattern that is more than names of groups and hosts: to load it takes
    a second of a busy processor (1.0 to 1.1 s were measured).

    Args:
        topology: tells which hosts there are, and which groups they are in.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        groups = {group: [node.name for node in topology.group(group)] for group in topology.groups}
        machines = [node.name for node in topology.nodes]
        self._groups = {**groups, NODES: machines}
        self._known = {name: [name] for name in [*machines, LOCALHOST]} | self._groups
        self._known["all"] = [*machines, LOCALHOST]
        self._known["ungrouped"] = [LOCALHOST]

    def hosts(self, pattern: str | list[str]) -> tuple[str, ...]:
        """Hosts of a pattern, each once: machines in the order of the plan, then the controller.

        Args:
            pattern: what a play has under ``hosts``. What is known only when Ansible runs (``{{ … }}``) means none.

        Raises:
            ConvergeError: Ansible does not understand it.
        """
        text = pattern if isinstance(pattern, str) else ",".join(str(each) for each in pattern)
        if "{{" in text:
            return ()
        words = SEPARATORS.split(text.strip())
        # A name that the topology does not have is nobody: another topology, or one that could not be read.
        is_names = all(NAME.fullmatch(word) for word in words)
        found = {name for word in words for name in self._known.get(word, ())} if is_names else self._matched(pattern)
        return tuple(name for name in self._known["all"] if name in found)

    def _matched(self, pattern: str | list[str]) -> set[str]:
        from ansible.errors import AnsibleError

        try:
            return {host.name for host in self._manager.get_hosts(pattern)}
        except AnsibleError as error:
            text = f"Ansible does not understand it: {' '.join(str(error).split())}"
            raise ConvergeError(text, where=f"hosts {pattern!r}") from error

    @cached_property
    def _manager(self) -> InventoryManager:
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader

        manager = InventoryManager(loader=DataLoader(), sources=None, parse=False)
        for name in self._known["all"]:
            manager.add_host(name)
        for group, names in self._groups.items():
            manager.add_group(group)
            for name in names:
                manager.add_host(name, group)
        manager.reconcile_inventory()
        return manager
