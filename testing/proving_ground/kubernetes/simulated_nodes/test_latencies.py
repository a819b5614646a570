"""How long writes take: percentiles, and clients that leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes.latencies import Latencies, measure_writes, percentile

from .fake_api import FakeApi


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (90, 90), (99, 99), (100, 100), (0.1, 1)])
def test_percentile_is_the_nearest_rank(percent: float, value: float) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.5], 99) == 7.5


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 99)


def test_facts_are_those_of_all_requests_and_of_each_verb() -> None:
    facts = Latencies({"create": [1.0, 2.0], "patch": [3.0], "delete": [40.04]}, 2.5).facts
    assert facts == {
        **{"requests": 4, "seconds": 2.5, "milliseconds p50": 2.0, "milliseconds p90": 40.0, "milliseconds p99": 40.0},
        **{"milliseconds at most": 40.0, "milliseconds p99 of create": 2.0, "milliseconds p99 of patch": 3.0},
        "milliseconds p99 of delete": 40.0,
    }


def test_every_client_creates_patches_and_deletes_and_leaves_nothing(api: FakeApi, kubeconfig: Path) -> None:
    before = set(api.objects)
    found = measure_writes(Kube(kubeconfig, context=None), "test", clients=3, seconds=0.2)
    assert set(api.objects) == before
    assert {verb: len(each) for verb, each in found.milliseconds.items()} == {
        verb: len(found.all) // 3 for verb in ("create", "patch", "delete")
    }
    assert len(found.all) >= 9
    first = "/api/v1/namespaces/test/configmaps/written-2-1"
    assert {f"PATCH {first}", f"DELETE {first}"} <= {*api.asked}
    assert found.seconds >= 0.2
