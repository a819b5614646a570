"""What pytest loads of the installed plugin: its options, and all the rest only in a project that asks for it.

A project asks with a table ``[tool.proving-ground]`` in the ``pyproject.toml`` of its root directory. Everywhere else
the plugin has to cost nothing and to change nothing, so this module imports nothing of the package but
:mod:`options` and :mod:`table`.
"""

from __future__ import annotations

import pytest

from proving_ground.core.table import is_asked_for
from proving_ground.plugin import options

PARTS = (
    *("exit_codes", "session", "xdist.workers", "skip_unconverged", "required_roles", "debug_hints"),
    *("idempotence", "failure_evidence", "health_scan", "flake_budget", "ansible_adhoc", "browser"),
)
"""Modules of this package that have hooks or fixtures."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in every project: ``--help`` has to show them."""
    options.add(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let a project's conftest implement the hooks, in whichever order the two are loaded."""
    from proving_ground.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(_Last(), "proving-ground-last")


@pytest.hookimpl(tryfirst=True)  # pytest's own plugins go by what is configured here, as by the path of JUnit's results
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest, if the project asks for it."""
    if not is_asked_for(config.rootpath):
        options.refuse(config)
        return
    for part in PARTS:
        config.pluginmanager.import_plugin(f"proving_ground.plugin.{part}")
    config.pluginmanager.import_plugin("proving_ground.report.plugin")


class _Last:
    """Of two plugins that both define ``host`` pytest takes the one that was registered last: testinfra has one too."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Load the fixtures after every other plugin."""
        if config.pluginmanager.has_plugin(f"proving_ground.plugin.{PARTS[0]}"):
            config.pluginmanager.import_plugin("proving_ground.plugin.fixtures")
