"""The hooks by which a project describes its cluster to the Kubernetes extra."""

from __future__ import annotations

import pytest


@pytest.hookspec(firstresult=True)
def pytest_proving_ground_kubernetes_nodes(config: pytest.Config) -> list[str] | None:
    """Name the machines that run a kubelet; without an answer all machines of the topology are taken for such."""
