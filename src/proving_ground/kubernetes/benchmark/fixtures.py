"""The fixtures of the benchmark: what was collected of the cluster, and the verdict on a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.timeline import Timeline
from proving_ground.kubernetes.benchmark.collect import collect
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.model import Check, Outcome, judge
from proving_ground.kubernetes.benchmark.report import note
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.table import checks, usual_paths
from proving_ground.kubernetes.client import Kube
from proving_ground.machines.hosts import Hosts


@pytest.fixture(scope="session")
def pg_benchmark_site() -> Site:
    """What is particular to the cluster; override it where files are not where kubeadm puts them."""
    return Site(usual_paths())


@pytest.fixture(scope="session")
def pg_benchmark_machines() -> Mapping[str, Sequence[str]]:
    """The names of the machines by their kind: ``control-plane``, ``etcd``, ``node``; a project overrides it."""
    raise UsageError(
        "nobody has said which machines are of which kind",
        where="pg_benchmark_machines",
        hint="override this fixture: it returns control-plane, etcd and node → names of machines",
    )


@pytest.fixture(scope="session")
def pg_benchmark_facts(
    pg_kube: Kube, pg_hosts: Hosts, pg_benchmark_machines: Mapping[str, Sequence[str]], pg_benchmark_site: Site
) -> Facts:
    """What the benchmark asks of the cluster, asked once: a round trip to each machine, and the API's lists."""
    return collect(checks(), pg_kube, pg_hosts, pg_benchmark_machines, pg_benchmark_site)


@pytest.fixture(scope="session")
def pg_benchmark(pg_benchmark_facts: Facts, pg_benchmark_site: Site, pg_timeline: Timeline) -> Callable[[Check], None]:
    """Judge a check: what does not apply is skipped with the reason, and what is wrong fails the test."""

    def verify(check: Check) -> None:
        result = judge(check, pg_benchmark_facts, pg_benchmark_site)
        note(pg_timeline, result)
        if result.outcome is Outcome.NOT_APPLICABLE:
            pytest.skip(f"CIS {check.id} does not apply: {result.reason}")
        assert result.outcome is Outcome.PASSED, str(result)

    return verify
