"""The fixture ``pg_ansible``: run single Ansible modules and roles on the machines that are up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from proving_ground.ansible.adhoc import SECONDS, Results, run_module
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts


class AdHoc(Protocol):
    """Runs a module on hosts of the run's inventory; arguments, result and error as in :func:`adhoc.run_module`."""

    def __call__(
        self,
        pattern: str,
        module: str,
        args: Mapping[str, Any] | str = "",
        *,
        become: bool = False,
        check: bool = False,
        extra_vars: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = SECONDS,
    ) -> Results:
        """Return host → the module's result; raises ModuleError, which names host and message."""


@pytest.fixture(scope="session")
def pg_ansible(
    pg_converged: object,  # noqa: ARG001 - the inventory is of machines that are up
    pg_settings: Settings,
    pg_timeouts: Timeouts,
) -> AdHoc:
    """Runs a module: ``pg_ansible("nodes", "stat", {"path": "/etc"})["web-01"]["stat"]["exists"]``.

    Takes a pattern of hosts, a module, its arguments (a mapping, or text as on the command line) and ``become``,
    ``check``, ``extra_vars``, ``env``, ``timeout`` (seconds). Returns host → result, a dict; raises a ModuleError that
    names host and message if the module fails, no host matches, or it does not end in time.
    """

    def run(pattern: str, module: str, args: Mapping[str, Any] | str = "", **options: Any) -> Results:
        return run_module(
            pg_settings, pg_settings.inventory_file, pattern, module, args, timeouts=pg_timeouts, **options
        )

    return run
