"""The errors of pytest-ansible, by its names."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError


class AnsibleModuleError(AnsibleError):  # type: ignore[misc] # Ansible ships no types
    """There is no such module, or Ansible did not run it."""


class AnsibleNoHostsMatch(AnsibleError):  # type: ignore[misc] # noqa: N818 - its name in pytest-ansible
    """No host of the inventory matches the pattern."""


class AnsibleConnectionFailure(AnsibleError):  # type: ignore[misc] # noqa: N818 - its name in pytest-ansible
    """A host is unreachable.

    Args:
        message: what happened.
        dark: unreachable host → its result.
        contacted: other host → its result.
    """

    def __init__(
        self, message: str, dark: dict[str, Any] | None = None, contacted: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.dark, self.contacted = dark or {}, contacted or {}

    @property
    def results(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The results of the hosts that answered, and of those that did not."""
        return self.contacted, self.dark
