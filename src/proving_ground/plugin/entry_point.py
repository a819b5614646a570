"""The module that pytest loads in every project: adds the options, and loads the rest only if the project uses it.

A project uses the plugin if the ``pyproject.toml`` of its root directory has a table ``[tool.proving-ground]``. In all
other projects the plugin must cost no time and change nothing, so of the package this module imports only
:mod:`options` and :mod:`table`.
"""

from __future__ import annotations

import pytest

from proving_ground.core.table import is_asked_for
from proving_ground.plugin import options

PARTS = (
    *("exit_codes", "session", "xdist.workers", "chosen_roles", "under_fault"),
    *("skip_unconverged", "required_roles", "required_images", "debug_hints"),
    *("idempotence", "check_mode", "verification", "steps", "failure_evidence", "health_scan", "flake_budget"),
    *("ansible_adhoc", "browser", "availability", "faults"),
)
"""Modules of this package that have hooks or fixtures."""

OF_REPORT = ("plugin", "availability", "faults")
"""Modules of the package ``report`` that have hooks."""

KUBERNETES = "proving_ground.kubernetes.plugin"
"""The Kubernetes extra, which projects name in their ``conftest.py``; ``--pg-kubeconfig`` loads it as well."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options in every project, so that ``--help`` shows them."""
    options.add(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks before a project's ``conftest.py`` implements them."""
    from proving_ground.plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(_Last(), "proving-ground-last")


@pytest.hookimpl(tryfirst=True)  # pytest's own plugins read values that ours set, such as the path of JUnit's results
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest, if the project uses the plugin."""
    if not is_asked_for(config.rootpath):
        options.refuse(config)
        return
    if options.given(config, "kubeconfig"):
        config.pluginmanager.import_plugin(KUBERNETES)
    for part in PARTS:
        config.pluginmanager.import_plugin(f"proving_ground.plugin.{part}")
    for part in OF_REPORT:
        config.pluginmanager.import_plugin(f"proving_ground.report.{part}")


class _Last:
    """Registers our fixture ``host`` last: testinfra defines ``host``, too, and pytest uses the last one registered."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Load the fixtures after every other plugin."""
        if config.pluginmanager.has_plugin(f"proving_ground.plugin.{PARTS[0]}"):
            config.pluginmanager.import_plugin("proving_ground.plugin.fixtures")
