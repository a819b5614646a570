"""The CIS Kubernetes Benchmark, check by check: each asks the live cluster, and what does not apply says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proving_ground.kubernetes.benchmark.model import Check
from proving_ground.kubernetes.benchmark.table import checks

pytestmark = [
    pytest.mark.order(79),
    pytest.mark.role(
        "configure/etcd",
        "configure/kube-master",
        "configure/kube-worker",
        "configure/kube-components",
        "samples/guestbook",
    ),
    pytest.mark.xdist_group("benchmark"),
]


@pytest.mark.parametrize("check", checks(), ids=str)
def test_check(check: Check, pg_benchmark: Callable[[Check], None]) -> None:
    pg_benchmark(check)
