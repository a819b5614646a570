"""The Kubernetes extra: its fixtures, its evidence and its part of the health scan.

A project loads it in its root ``conftest.py``: ``pytest_plugins = ["proving_ground.kubernetes.plugin"]``.
"""

from __future__ import annotations

import pytest

from proving_ground.kubernetes import hookspecs
from proving_ground.plugin import options

PARTS = (
    "namespaces",
    "port_forward",
    "reachability_report",
    "policies.fixtures",
    "benchmark.fixtures",
    "benchmark.report",
    "failure_evidence",
    "health_scan",
    "simulated_nodes.fixtures",
    "upstream.collection",
    "upstream.fixtures",
)

MARKERS = (
    "scale: the test is about simulated nodes; skipped without --pg-simulated-nodes",
    "upstream: the test is a case of Kubernetes' own suites; only with -m upstream",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hook with which projects name their Kubernetes nodes."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the extra's parts."""
    for part in PARTS:
        pluginmanager.import_plugin(f"proving_ground.kubernetes.{part}")


@pytest.hookimpl(tryfirst=True)  # before the run is made, which asks whether it makes machines
def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; load the fixtures of the cluster that is there, or of the one that the playbook makes."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    which = "given_cluster" if options.given(config, "kubeconfig") else "own_cluster"
    config.pluginmanager.import_plugin(f"proving_ground.kubernetes.{which}")
