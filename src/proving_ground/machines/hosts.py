"""Make testinfra's hosts by name, without touching a machine at collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from testinfra.host import Host

from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.core.topology import Topology
from proving_ground.machines.access import client_of, container_of
from proving_ground.machines.exec_backend import DeadlineExec
from proving_ground.machines.ssh_backend import DeadlineSsh


class Hosts(Mapping[str, Host]):
    """testinfra's hosts as root, made on first use.

    ``hosts["web-01"]`` is that machine; iterating yields all names in the order of the topology.
    """

    def __init__(self, settings: Settings, topology: Topology, timeouts: Timeouts = USUAL) -> None:
        self._timeouts = timeouts
        self._settings = settings
        self._names = tuple(node.name for node in topology.nodes)
        self._hosts: dict[str, Host] = {}

    def __getitem__(self, name: str) -> Host:
        if name not in self._names:
            raise KeyError(f"no machine {name!r}; there are {', '.join(self._names)}")
        if name not in self._hosts:
            backend = self._backend(name)
            backend.timeouts = self._timeouts
            self._hosts[name] = Host(backend)
            backend.set_host(self._hosts[name])
        return self._hosts[name]

    def _backend(self, name: str) -> Any:
        if self._settings.engine:
            return DeadlineExec(name, container_of(self._settings, name), client_of(self._settings, name))
        # controlpersist=0: connections are shared as ssh.config says, not by a second set of sockets.
        config = self._settings.state_directory / "ssh.config"
        return DeadlineSsh(name, ssh_config=str(config), sudo=True, controlpersist=0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
