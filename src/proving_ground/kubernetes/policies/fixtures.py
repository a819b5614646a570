"""The fixture that runs cases of network policies on the cluster, for tests that are parametrized with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from proving_ground.core.timeline import Timeline
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import Namespaces
from proving_ground.kubernetes.policies.cases import Case
from proving_ground.kubernetes.policies.catalogue.scene import SCENE
from proving_ground.kubernetes.policies.runner import PolicyRunner
from proving_ground.kubernetes.policies.scene import Scene
from proving_ground.kubernetes.policies.stage import start
from proving_ground.kubernetes.probes import Probes
from proving_ground.kubernetes.reachability import Reachability
from proving_ground.kubernetes.reachability_report import note


@pytest.fixture(scope="session")
def pg_policy_scene() -> Scene:
    """The namespaces, pods and ports of :func:`pg_policies`; override it for cases of your own with other pods."""
    return SCENE


@pytest.fixture(scope="module")
def pg_policies(
    pg_kube: Kube, pg_namespaces: Namespaces, pg_probes: Probes, pg_policy_scene: Scene, pg_timeline: Timeline
) -> Iterator[Callable[[Case], None]]:
    """Show a case of network policies on the cluster; its pods run once for all tests of a module.

    A case about a protocol that the nodes' kernels lack is skipped, and says so.
    """
    stage = start(pg_policy_scene, pg_probes, pg_kube, pg_namespaces)

    def table(title: str) -> Reachability:
        return Reachability(title, pg_kube.timeouts)

    runner = PolicyRunner(stage, table, wrong=lambda found: note(pg_timeline, found))

    def check(case: Case) -> None:
        if lacking := runner.lacking(case):
            pytest.skip(f"the kernel of a node has no {' and no '.join(sorted(lacking))}")
        runner.check(case)

    yield check
    stage.close(pg_namespaces)
