"""What the CIS benchmark has to know of this repository's cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

import fixtures
from fixtures.cluster_nodes import kubernetes_nodes
from proving_ground.core.topology import Topology
from proving_ground.kubernetes.benchmark.collect import collect
from proving_ground.kubernetes.benchmark.model import Outcome, judge
from proving_ground.kubernetes.benchmark.site import Site, read_site
from proving_ground.kubernetes.benchmark.table import checks, usual_paths
from proving_ground.kubernetes.client import Kube
from proving_ground.machines.hosts import Hosts

Red = Callable[[], dict[str, tuple[str, ...]]]
"""Returns the checks that are red → what is wrong."""

SITE = Path(fixtures.__file__).with_name("benchmark.yml")


@pytest.fixture(scope="session")
def pg_benchmark_site() -> Site:
    return read_site(SITE, usual_paths())


@pytest.fixture(scope="session")
def pg_benchmark_machines(pg_topology: Topology) -> Mapping[str, Sequence[str]]:
    return {
        "control-plane": [node.name for node in pg_topology.group("kube_master")],
        "etcd": [node.name for node in pg_topology.group("etcd")],
        "node": [node.name for node in kubernetes_nodes(pg_topology)],
    }


@pytest.fixture
def red(
    pg_kube: Kube, pg_hosts: Hosts, pg_benchmark_machines: Mapping[str, Sequence[str]], pg_benchmark_site: Site
) -> Red:
    """Asks the cluster anew."""

    def ask() -> dict[str, tuple[str, ...]]:
        facts = collect(checks(), pg_kube, pg_hosts, pg_benchmark_machines, pg_benchmark_site)
        found = [judge(check, facts, pg_benchmark_site) for check in checks()]
        return {each.check.id: each.problems for each in found if each.outcome is Outcome.FAILED}

    return ask
