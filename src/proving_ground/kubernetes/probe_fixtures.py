"""The fixture that starts probe pods."""

from __future__ import annotations

import pytest

from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.probes import NODE_PORT, Probes
from proving_ground.plugin.xdist.workers import worker_number


@pytest.fixture(scope="session")
def pg_probes(pg_kube: Kube, pg_depot_view: View, pytestconfig: pytest.Config) -> Probes:
    """Starts probe pods and runs commands in them, with the depot's image ``probe``."""
    return Probes(pg_kube, pg_depot_view.images["probe"], NODE_PORT + worker_number(pytestconfig))
