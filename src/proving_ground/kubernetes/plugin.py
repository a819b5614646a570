"""The Kubernetes extra: its fixtures, its evidence and its part of the health scan.

A project loads it in its root ``conftest.py``: ``pytest_plugins = ["proving_ground.kubernetes.plugin"]``.
"""

from __future__ import annotations

import pytest

from proving_ground.kubernetes import hookspecs

PARTS = (
    *("client", "pods", "port_forward", "probe_fixtures", "reachability_report", "policies.fixtures"),
    *("failure_evidence", "health_scan"),
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hook with which projects name their Kubernetes nodes."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the extra's parts."""
    for part in PARTS:
        pluginmanager.import_plugin(f"proving_ground.kubernetes.{part}")
