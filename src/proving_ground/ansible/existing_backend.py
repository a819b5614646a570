"""Run testinfra's commands on hosts of an inventory by its own connection, with a deadline."""

from __future__ import annotations

import configparser
import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import testinfra
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.utils.ansible_runner import get_ansible_host

from proving_ground.ansible.adhoc import ModuleError, run_module
from proving_ground.ansible.search_paths import effective
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.core.topology import Topology
from proving_ground.machines.deadline import SECONDS, run_in_time
from proving_ground.machines.hosts import Hosts

DIRECT = (
    *("ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_become", "ansible_become_user"),
    *("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_pass"),
    *("ansible_ssh_private_key_file", "ansible_private_key_file"),
)
"""Variables of a connection that testinfra reads itself."""

FOR_ANSIBLE = ("ansible_become_password", "ansible_become_pass", "ansible_become_method", "ansible_become_exe")
"""Variables of a connection that only Ansible understands."""

ALIASES = {
    "ansible_host": "ansible_ssh_host",
    "ansible_port": "ansible_ssh_port",
    "ansible_user": "ansible_ssh_user",
    "ansible_ssh_pass": "ansible_password",
}
"""Variable that testinfra reads → another name that Ansible has for it."""

PODMAN = ("podman", "containers.podman.podman")

_deadline: ContextVar[float] = ContextVar("deadline", default=SECONDS)


class OfInventory(BaseBackend):  # type: ignore[misc] # testinfra is not looked into for types
    """What the backends of hosts of an inventory have in common; comes before testinfra's own class.

    ``host.run(command, timeout=300)`` has its own deadline, in seconds of the usual speed.
    ``host.ansible`` runs modules.

    Attributes:
        host_name: the host's name in the inventory.
        topology: the hosts of the inventory.
        settings: of the run.
        timeouts: of the machines.
    """

    HAS_RUN_ANSIBLE = True
    host_name: str
    topology: Topology
    settings: Settings
    timeouts: Timeouts = USUAL

    def get_hostname(self) -> str:
        """The host's name in the inventory."""
        return self.host_name

    def run(self, command: str, *args: str, timeout: float = SECONDS, **kwargs: Any) -> CommandResult:
        """Run a command; each ``%s`` in it is replaced by one of ``args``, quoted.

        Raises:
            MachineError: the command did not end within ``timeout``; names host, command and seconds.
            RuntimeError: the connection failed.
        """
        with _within(timeout):
            return super().run(command, *args, **kwargs)

    def run_local(self, command: str, *args: str) -> CommandResult:
        """Run the client of the connection on this host, with the deadline of :meth:`run`."""
        words = self.quote(command, *args)
        seconds = self.timeouts.seconds(_deadline.get())
        code, stdout, stderr = run_in_time(self.encode(words), what=words, where=self.host_name, seconds=seconds)
        return self.result(code, self.encode(words), stdout, stderr)

    def run_ansible(self, module_name: str, module_args: str | None = None, **options: Any) -> dict[str, Any]:
        """Run a module for ``host.ansible``; returns its result, also of a module that failed."""
        known = {key: options[key] for key in ("become", "check", "extra_vars") if key in options}
        try:
            found = self._module(module_name, module_args or "", **{"check": True, **known})
        except ModuleError as error:
            if self.host_name not in error.results:
                raise
            found = error.results
        return found[self.host_name]

    def get_variables(self) -> dict[str, Any]:
        """The host's variables in the inventory, for ``host.ansible.get_variables()``."""
        node = self.topology.node(self.host_name)
        groups = {group: [each.name for each in self.topology.group(group)] for group in self.topology.groups}
        everything = {"all": [each.name for each in self.topology.nodes], **groups}
        own = {"inventory_hostname": self.host_name, "group_names": sorted(node.groups), "groups": everything}
        return {**node.variables, **own}

    def _module(self, module: str, args: str, **options: Any) -> dict[str, dict[str, Any]]:
        inventory = self.settings.inventory_file
        return run_module(
            self.settings,
            inventory,
            self.host_name,
            module,
            args,
            timeout=_deadline.get(),
            timeouts=self.timeouts,
            **options,
        )


class ByAnsible(BaseBackend):  # type: ignore[misc]
    """Runs commands by Ansible's module ``shell``, for connections that testinfra cannot make itself."""

    NAME = "ansible"

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command; raises ModuleError if Ansible does not reach the host."""
        words = self.quote(command, *args)
        try:
            result = self._module("shell", words)[self.host_name]
        except ModuleError as error:
            result = error.results.get(self.host_name, {})
            if not {"rc", "stdout"} <= result.keys():  # the module itself could not run
                raise
        return self.result(int(result["rc"]), self.encode(words), result["stdout"], result["stderr"])


class InventoryHosts(Hosts):
    """testinfra's hosts of an inventory; each runs commands as the user whom the inventory names."""

    def __init__(self, settings: Settings, topology: Topology, timeouts: Timeouts = USUAL) -> None:
        super().__init__(settings, topology, timeouts)
        self._topology = topology
        self._config = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
        self._config.read(effective(settings.root / settings.project.ansible_config))

    def _backend(self, name: str) -> Any:
        # A copy: testinfra keeps what it makes, and gives the same to whoever asks for the same connection.
        backend = copy.copy(self._direct(name, self._topology.node(name).variables) or ByAnsible(name))
        kind = type(backend)
        # Of both classes, since testinfra decides which class it makes.
        backend.__class__ = type(f"{kind.__name__}OfInventory", (OfInventory, kind), {})
        backend.host_name, backend.topology, backend.settings = name, self._topology, self._settings
        return backend

    def _direct(self, name: str, variables: dict[str, Any]) -> BaseBackend | None:
        """The backend that testinfra has for a host; None if only Ansible understands its connection."""
        known = {**{key: variables[alias] for key, alias in ALIASES.items() if alias in variables}, **variables}
        if any(key in known for key in FOR_ANSIBLE):
            return None
        try:
            known |= self._resolved(name, {key: known[key] for key in DIRECT if key in known})
        except ModuleError:
            return None
        if not self._checks_host_keys:
            known["ansible_ssh_extra_args"] = f"{known.get('ansible_ssh_extra_args', '')} -o StrictHostKeyChecking=no"
        if known.get("ansible_connection") in PODMAN:
            host = testinfra.get_host(f"podman://{known.get('ansible_host', name)}")
        else:
            inventory = {"all": {"hosts": [name]}, "_meta": {"hostvars": {name: known}}}
            host = get_ansible_host(self._config, inventory, name)
        return None if host is None else host.backend

    def _resolved(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        """Return variables with their values: Ansible resolves templates, and what is encrypted, on the controller."""
        open_ones = {
            key: f"{{{{ {key} }}}}"
            for key, value in said.items()
            if not isinstance(value, str | int) or "{{" in str(value)
        }
        if not open_ones:
            return {}
        inventory = self._settings.inventory_file
        return dict(run_module(self._settings, inventory, name, "debug", {"msg": open_ones})[name]["msg"])

    @property
    def _checks_host_keys(self) -> bool:
        own = os.environ.get("ANSIBLE_HOST_KEY_CHECKING") or self._config.get(
            "defaults", "host_key_checking", fallback=""
        )
        return str(own).strip().lower() not in {"false", "no", "0", "off"}


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    token = _deadline.set(seconds)
    try:
        yield
    finally:
        _deadline.reset(token)
