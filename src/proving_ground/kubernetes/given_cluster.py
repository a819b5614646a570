"""The fixtures of a cluster that is there, by its kubeconfig: the same as of an own one, without any machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.extras import require
from proving_ground.kubernetes.client import Kube, Kubectl
from proving_ground.kubernetes.probes import NODE_PORT, Probes
from proving_ground.plugin.options import given
from proving_ground.plugin.run import run_of
from proving_ground.plugin.xdist.workers import worker_number


def pytest_proving_ground_without_machines(config: pytest.Config) -> str:
    """Return that the run is about a cluster that is there.

    Raises:
        UsageError: the kubeconfig does not exist.
    """
    return f"--pg-kubeconfig {kubeconfig_of(config)} is of a cluster that is there"


def kubeconfig_of(config: pytest.Config) -> Path:
    """Return the kubeconfig's path, which is relative to where pytest was started.

    Raises:
        UsageError: there is no such file.
    """
    path = config.invocation_params.dir / Path(given(config, "kubeconfig")).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where="--pg-kubeconfig", hint="name a kubeconfig")
    return path


@pytest.fixture(scope="session")
def pg_kube(pytestconfig: pytest.Config) -> Kube:
    """The cluster of ``--pg-kubeconfig``, as the user of its current context sees it."""
    require("kubernetes", extra="kubernetes", where="pg_kube")
    return Kube(kubeconfig_of(pytestconfig), run_of(pytestconfig).timeouts, context=None)


@pytest.fixture(scope="session")
def pg_kubectl(pg_kube: Kube) -> Kubectl:
    """This host's kubectl, bound to the cluster."""
    program = shutil.which("kubectl")
    if program is None:
        raise UsageError("kubectl is not installed", where="pg_kubectl")
    return Kubectl(Path(program), pg_kube.kubeconfig, pg_kube.timeouts, context=None)


@pytest.fixture(scope="session")
def pg_probes(pg_kube: Kube, pytestconfig: pytest.Config) -> Iterator[Probes]:
    """Starts probe pods and runs commands in them, with the image of ``--pg-probe-image``."""
    image = given(pytestconfig, "probe-image")
    if not image:
        raise UsageError(
            "probe pods need an image", where="--pg-probe-image", hint="name one that has the program probe"
        )
    with closing(Probes(pg_kube, image, NODE_PORT + worker_number(pytestconfig), pull="IfNotPresent")) as made:
        yield made


@pytest.fixture(scope="session")
def pg_kwok() -> Path:
    """This host's kwok, the controller that simulates nodes."""
    program = shutil.which("kwok")
    if program is None:
        raise UsageError("kwok is not installed", where="--pg-simulated-nodes", hint="put it on PATH")
    return Path(program)
