"""The results of a module as pytest-ansible has them: by host, each a dictionary that says how it went."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator, KeysView, Mapping
from typing import Any


class ModuleResult(UserDict[str, Any]):
    """The result of a module on one host: what the module returned, as a dictionary."""

    @property
    def is_changed(self) -> bool:
        """Whether the module changed something."""
        return bool(self.get("changed"))

    @property
    def is_failed(self) -> bool:
        """Whether the module failed, or the command that it ran."""
        return bool(self.get("failed")) or self.get("rc", 0) != 0

    @property
    def is_skipped(self) -> bool:
        """Whether the module did nothing, as in check mode."""
        return bool(self.get("skipped"))

    @property
    def is_unreachable(self) -> bool:
        """Whether Ansible did not reach the host."""
        return bool(self.get("unreachable"))

    @property
    def is_ok(self) -> bool:
        """Whether the module ran and found all as it should be."""
        return not (self.is_changed or self.is_failed or self.is_skipped or self.is_unreachable)

    @property
    def is_successful(self) -> bool:
        """Whether the module ran without a failure."""
        return not (self.is_failed or self.is_unreachable)


class AdHocResult:
    """The results of a module by host: ``contacted["web-01"]``, ``contacted.localhost``, ``contacted.items()``.

    Iterating yields the names of the hosts.

    Args:
        contacted: host → what the module returned there.
    """

    def __init__(self, contacted: Mapping[str, Mapping[str, Any]]) -> None:
        self.contacted = dict(contacted)

    def __getitem__(self, host: str) -> ModuleResult:
        return ModuleResult(self.contacted[host])

    def __getattr__(self, host: str) -> ModuleResult:
        if not host.startswith("_") and host in self.contacted:
            return self[host]
        raise AttributeError(f"no result of a host {host!r}")

    def __len__(self) -> int:
        return len(self.contacted)

    def __contains__(self, host: object) -> bool:
        return host in self.contacted

    def __iter__(self) -> Iterator[str]:
        return iter(self.contacted)

    def keys(self) -> KeysView[str]:
        """Return the names of the hosts."""
        return self.contacted.keys()

    def items(self) -> Iterator[tuple[str, ModuleResult]]:
        """Yield name and result of each host."""
        for host in self.contacted:
            yield host, self[host]

    def values(self) -> list[ModuleResult]:
        """Return the results."""
        return [self[host] for host in self.contacted]
