"""The hooks with which a project describes its cluster to the Kubernetes extra."""

from __future__ import annotations

import pytest


@pytest.hookspec(firstresult=True)
def pytest_proving_ground_kubernetes_nodes(config: pytest.Config) -> list[str] | None:
    """Return the names of the machines that run a kubelet; if no hook returns any, all machines of the topology do."""
