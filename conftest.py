"""Loads the harness, and what this project adds to it: what its machines become, a Kubernetes cluster."""

import gc

import pytest

from fixtures.plugin import PARTS, load

CLUSTER = (
    *("kube", "nodes", "pods", "port_forward", "matrix", "pki", "etcd", "mesh"),
    *("cluster", "containers"),  # what is looked at after a failure, and asked after a green run
)

# A thousand tests and all that they import stay: to look for garbage among them again and again is in vain.
gc.disable()


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the harness, after testinfra, whose fixture `host` is another one; then what knows of the cluster."""
    load(pluginmanager, *PARTS, *CLUSTER)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage from here on, and among what comes from here on."""
    gc.freeze()
    gc.enable()
