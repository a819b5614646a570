"""The fixtures of the cluster that the project's playbook makes: its API, kubectl, probes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proving_ground import depot
from proving_ground.core.extras import require
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube, Kubectl
from proving_ground.kubernetes.probes import NODE_PORT, Probes
from proving_ground.plugin.options import given
from proving_ground.plugin.run import run_of
from proving_ground.plugin.xdist.workers import worker_number

SCALE = "scale"
"""The depot's group of what simulates nodes."""


@pytest.fixture(scope="session")
def pg_kube(
    pg_converged: object,  # noqa: ARG001 - no API before the playbook has run
    pg_settings: Settings,
    pg_timeouts: Timeouts,
) -> Kube:
    """The cluster as its administrator sees it, through the kubeconfig that the playbook wrote."""
    require("kubernetes", extra="kubernetes", where="pg_kube")
    return Kube(pg_settings.state_directory / "kubeconfig", pg_timeouts)


@pytest.fixture(scope="session")
def pg_kubectl(pg_kube: Kube, pg_depot_view: View) -> Kubectl:
    """The depot's kubectl, bound to the cluster."""
    return Kubectl(pg_depot_view.path / "bin" / "kubectl", pg_kube.kubeconfig, pg_kube.timeouts)


@pytest.fixture(scope="session")
def pg_probes(pg_kube: Kube, pg_depot_view: View, pytestconfig: pytest.Config) -> Iterator[Probes]:
    """Starts probe pods and runs commands in them, with the depot's image ``probe`` or that of ``--pg-probe-image``."""
    image = given(pytestconfig, "probe-image")
    port = NODE_PORT + worker_number(pytestconfig)
    made = (
        Probes(pg_kube, image, port, pull="IfNotPresent")
        if image
        else Probes(pg_kube, pg_depot_view.images["probe"], port)
    )
    with closing(made):
        yield made


@pytest.fixture(scope="session")
def pg_kwok(pytestconfig: pytest.Config) -> Path:
    """KWOK's controller, of the depot's group ``scale``, built if the cache lacks it."""
    run = run_of(pytestconfig)
    settings = run.settings
    view = run.attempt(
        lambda: depot.ensure(settings.depot, report=run.say, release=settings.project.release, only=[SCALE])
    )
    return view.path / "bin" / "kwok"
