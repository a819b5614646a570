"""The fixtures of upstream's suites: their programs, their images on the nodes, and what became of their cases."""

from __future__ import annotations

import pytest

from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube, Kubectl
from proving_ground.kubernetes.upstream import junit
from proving_ground.kubernetes.upstream.collection import E2eSuite, view
from proving_ground.kubernetes.upstream.execution import execute
from proving_ground.kubernetes.upstream.junit import Results
from proving_ground.kubernetes.upstream.programs import Cluster, Programs
from proving_ground.plugin.run import run_of

CLEANING_SECONDS = 300.0
"""For so long after the end of its time upstream may remove what its cases have made."""


@pytest.fixture(scope="session")
def pg_upstream_view(pytestconfig: pytest.Config) -> View:
    """The depot's view of upstream's programs, in ``bin``, and of the images that their cases use."""
    run = run_of(pytestconfig)
    return run.attempt(lambda: view(run))


@pytest.fixture(scope="session")
def pg_upstream_images() -> None:
    """Brings the images that upstream's cases use onto the nodes; by default nodes pull them, so override it."""


@pytest.fixture(scope="module")
def pg_upstream_results(
    request: pytest.FixtureRequest,
    pg_upstream_view: View,
    pg_upstream_images: None,  # noqa: ARG001 - comes first
    pg_kube: Kube,
    pg_kubectl: Kubectl,
) -> Results:
    """What became of the chosen cases of a suite, which run together, in parallel where they stand that."""
    run, node = run_of(request.config), request.node.getparent(E2eSuite)
    suite, chosen = node.suite, [case.name for case in node.chosen()]
    directory = run.settings.artifacts / "upstream" / suite.name
    seconds = run.timeouts.seconds(suite.minutes * 60)
    command = Programs(pg_upstream_view.path / "bin").command(
        Cluster(pg_kube.kubeconfig, pg_kube.context, pg_kubectl.path),
        chosen,
        processes=suite.processes,
        seconds=seconds,
        report=directory,
    )
    run.say(f"upstream's suite {suite.name}: {len(chosen)} cases, {suite.processes} at a time")
    execute(
        command,
        directory,
        total=len(chosen),
        timeout=seconds + CLEANING_SECONDS,
        say=lambda line: run.say(f"{suite.name}: {line}"),
    )
    results = junit.read(directory / "junit_01.xml")
    for line in results.around:
        run.say(f"{suite.name}: {line}")
    return results
