"""Hosts of an inventory as pytest-ansible has them: ``hosts["web"].ping()`` runs a module on all that match."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleError

from proving_ground.ansible.adhoc import ModuleError, run_module
from proving_ground.compat.errors import AnsibleConnectionFailure, AnsibleModuleError, AnsibleNoHostsMatch
from proving_ground.compat.results import AdHocResult
from proving_ground.core.settings import Settings

if TYPE_CHECKING:
    from ansible.inventory.manager import InventoryManager

SECONDS = 3600.0
"""The time-out of one module: pytest-ansible has none, and some modules wait for long."""

NO_MODULE = re.compile(r"Cannot resolve '|not found in configured module paths|couldn't resolve module/action")
"""How Ansible's releases say that there is no such module."""

WORDS = ("connection", "user", "become_method", "become_user", "module_path")
"""Options that Ansible takes with a value."""


@dataclass(frozen=True)
class Options:
    """How to run modules, with pytest-ansible's names.

    Attributes:
        settings: of the project.
        inventory: a file, a script, a directory, or names of hosts with commas; None for the configuration's.
        extra_inventory: another one, whose hosts are added.
        host_pattern: the hosts that a test means if it says no more.
        connection: the connection plugin.
        user: who logs in.
        become: whether modules run as another user.
        become_method: how.
        become_user: as whom.
        module_path: a directory of further modules.
        subset: the pattern of hosts to which everything is limited.
        check: whether modules run in check mode.
        interpreter: Python on the hosts; None for what Ansible finds.
    """

    settings: Settings
    inventory: str | None = None
    extra_inventory: str | None = None
    host_pattern: str = "localhost"
    connection: str | None = None
    user: str | None = None
    become: bool = False
    become_method: str | None = None
    become_user: str | None = None
    module_path: str | None = None
    subset: str | None = None
    check: bool = False
    interpreter: str | None = None

    @classmethod
    def known(cls, words: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options among ``words``; raises TypeError for an option that is none."""
        names = set(cls.__dataclass_fields__) - {"settings", "interpreter"}
        if wrong := sorted(set(words) - names):
            raise TypeError(f"{wrong[0]} is no option of modules; they are {', '.join(sorted(names))}")
        return dict(words)

    @property
    def sources(self) -> list[str]:
        """The inventories as Ansible takes them; existing ones by their absolute paths."""
        found = []
        for each in filter(None, (self.inventory, self.extra_inventory)):
            places = (Path.cwd() / each, self.settings.root / each)
            found.append(next((str(place) for place in places if "," not in each and place.exists()), each))
        return found

    @property
    def arguments(self) -> list[str]:
        """The options as words of Ansible's command line."""
        words = [f"--inventory={shlex.quote(each)}" for each in self.sources]
        said = {name: getattr(self, name) for name in WORDS if getattr(self, name)}
        words += [f"--{name.replace('_', '-')}={shlex.quote(str(value))}" for name, value in said.items()]
        return [*words, *([f"--limit={shlex.quote(self.subset)}"] if self.subset else [])]

    @cached_property
    def manager(self) -> InventoryManager:
        """Ansible's own view of the inventory."""
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader

        manager = InventoryManager(loader=DataLoader(), sources=self.sources or None)
        manager.subset(self.subset)
        return manager

    def names(self, pattern: str) -> list[str]:
        """Return the names of the hosts that match a pattern, none for one that Ansible does not understand."""
        try:
            return [host.name for host in self.manager.get_hosts(pattern)]
        except AnsibleError:
            return []


@dataclass(frozen=True)
class ModuleDispatcher:
    """The hosts that match a pattern; each attribute is a module that runs on them: ``ansible_module.ping()``."""

    options: Options
    pattern: str
    _names: tuple[str, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, pattern: str) -> bool:
        return bool(self.options.names(pattern))

    def __getattr__(self, module: str) -> Callable[..., AdHocResult]:
        if module.startswith("_"):
            raise AttributeError(module)

        def run(*words: str, **arguments: Any) -> AdHocResult:
            return self.run(module, *words, **arguments)

        return run

    def run(self, module: str, *words: str, **arguments: Any) -> AdHocResult:
        """Run a module: ``run("command", "date", chdir="/")``.

        Raises:
            AnsibleModuleError: there is no such module, or Ansible could not run it.
            AnsibleNoHostsMatch: no host matches.
            AnsibleConnectionFailure: a host is unreachable; it has the results of all.
        """
        if not self._names:
            raise AnsibleNoHostsMatch(f"no host matches {self.pattern!r}")
        if words:
            arguments["_raw_params"] = " ".join(words)
        options = self.options
        try:
            results = run_module(
                options.settings,
                None,
                self.pattern,
                module,
                arguments or "",
                become=options.become,
                check=options.check,
                arguments=options.arguments,
                env={"ANSIBLE_PYTHON_INTERPRETER": options.interpreter} if options.interpreter else None,
                timeout=SECONDS,
            )
        except ModuleError as error:
            if not error.results:
                raise AnsibleModuleError(f"{module}: {error.what}") from error
            results = error.results
        absent = [text for result in results.values() if NO_MODULE.search(text := str(result.get("msg")))]
        if absent:
            raise AnsibleModuleError(f"{module}: {absent[0]}")
        dark = {host: result for host, result in results.items() if result.get("unreachable")}
        contacted = {host: result for host, result in results.items() if host not in dark}
        if dark:
            text = "; ".join(f"{host}: {result.get('msg')}" for host, result in dark.items())
            raise AnsibleConnectionFailure(f"unreachable: {text}", dark=dark, contacted=contacted)
        return AdHocResult(contacted)


class HostManager:
    """An inventory; ``hosts["web:!web-01"]``, ``hosts.web`` and ``hosts[0]`` are hosts on which modules run."""

    def __init__(self, options: Options) -> None:
        # pytest-ansible's documents name the hosts so where no inventory has them: host_pattern="one,two,".
        if options.host_pattern.endswith(","):
            options = replace(options, inventory=options.host_pattern, extra_inventory=None, host_pattern="all")
        self.options = options

    def __getitem__(self, item: str | int | slice) -> ModuleDispatcher:
        pattern = _pattern(item)
        if not self.has_matching_inventory(pattern):
            raise KeyError(item)
        return ModuleDispatcher(self.options, pattern, tuple(self.options.names(pattern)))

    def __getattr__(self, pattern: str) -> ModuleDispatcher:
        if pattern.startswith("_") or pattern == "options" or not self.has_matching_inventory(pattern):
            raise AttributeError(f"no host of the inventory matches {pattern!r}")
        return self[pattern]

    def __contains__(self, pattern: str) -> bool:
        return self.has_matching_inventory(pattern)

    def __iter__(self) -> Iterator[ModuleDispatcher]:
        return (self[name] for name in self.options.names(self.options.host_pattern))

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> list[str]:
        """Return the names of all hosts."""
        return self.options.names("all")

    def has_matching_inventory(self, pattern: str) -> bool:
        """Return whether a host or a group matches a pattern."""
        return bool(self.options.names(pattern)) or pattern in self.options.manager.groups


def _pattern(item: str | int | slice) -> str:
    """The pattern of what is in brackets; a slice has its last host, as in pytest-ansible and in Ansible's patterns."""
    if isinstance(item, slice):
        return f"all[{item.start or 0}:{'' if item.stop is None else item.stop}]"
    return f"all[{item}]" if isinstance(item, int) else item
