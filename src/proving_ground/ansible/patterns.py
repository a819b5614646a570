"""Find the hosts of a play's pattern; Ansible itself matches patterns that are more than names."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from proving_ground.core.errors import ConvergeError
from proving_ground.core.topology import Topology

if TYPE_CHECKING:
    from ansible.inventory.manager import InventoryManager

LOCALHOST, NODES = "localhost", "nodes"
"""Names that every generated inventory knows: the controller, which Ansible adds to any inventory, and all machines."""

SEPARATORS = re.compile(r"\s*[:,]\s*")


NAME = re.compile(r"\w[\w.-]*")
"""The name of a group or a host, not a pattern."""


class Patterns:
    """Resolves the host patterns of plays to hosts of a topology.

    It imports Ansible only for a pattern that is more than names of groups and hosts: the import takes a second of a
    busy processor (measured: 1.0 to 1.1 s).

    Args:
        topology: has the hosts and their groups.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        groups = {group: [node.name for node in topology.group(group)] for group in topology.groups}
        machines = [node.name for node in topology.nodes]
        self._groups = groups if topology.existing else {**groups, NODES: machines}
        self._known = {name: [name] for name in [*machines, LOCALHOST]} | self._groups
        self._known["all"] = machines

    def hosts(self, pattern: str | list[str]) -> tuple[str, ...]:
        """Return the hosts of a pattern, each once: machines in the order of the topology, then the controller.

        Args:
            pattern: the play's ``hosts``. A template (``{{ … }}``), which only a run can resolve, matches no host.

        Raises:
            ConvergeError: Ansible does not understand it.
        """
        text = pattern if isinstance(pattern, str) else ",".join(str(each) for each in pattern)
        if "{{" in text:
            return ()
        words = SEPARATORS.split(text.strip())
        # A name that the topology does not have matches no host: it may be a group of another topology.
        is_names = all(NAME.fullmatch(word) for word in words)
        found = {name for word in words for name in self._known.get(word, ())} if is_names else self._matched(pattern)
        return tuple(name for name in dict.fromkeys((*self._known["all"], LOCALHOST)) if name in found)

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
