"""Namespaces of tests: which are left of a run that was killed, and which belong to somebody who still runs."""

from __future__ import annotations

from types import SimpleNamespace as Object
from typing import Any, cast

import pytest

from proving_ground.core.timeouts import USUAL
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import CHECKOUT, RUN_ID, Namespaces


class Cluster:
    """A cluster that knows namespaces and their labels, and how to select by labels."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {}
        self.emptied: list[str] = []

    def create_namespace(self, body: dict[str, Any]) -> None:
        self.labels[body["metadata"]["name"]] = body["metadata"]["labels"]

    def read_namespaced_service_account(self, name: str, namespace: str) -> None:
        assert name == "default"
        assert namespace in self.labels

    def list_namespace(self, label_selector: str) -> Any:
        wanted = dict(part.split("=") for part in label_selector.split(","))
        found = [name for name, labels in self.labels.items() if wanted.items() <= labels.items()]
        return Object(items=[Object(metadata=Object(name=name, labels=self.labels[name])) for name in found])

    def delete_collection_namespaced_pod(self, namespace: str, **_: Any) -> None:
        self.emptied.append(namespace)

    def delete_namespace(self, namespace: str) -> None:
        assert namespace in self.emptied, "its controller would give each pod half a minute"
        del self.labels[namespace]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def of_run(cluster: Cluster, run_id: str, checkout: str = "4a7c") -> Namespaces:
    kube = cast(Kube, Object(core=cluster, timeouts=USUAL))
    return Namespaces(kube, {CHECKOUT: checkout, RUN_ID: run_id})


def test_namespaces_say_whose_they_are(cluster: Cluster) -> None:
    name = of_run(cluster, "run-2").create("mesh", labels={"team": "a"})
    assert name.startswith("mesh-")
    assert {CHECKOUT: "4a7c", RUN_ID: "run-2", "team": "a"}.items() <= cluster.labels[name].items()


def test_what_a_killed_run_has_left_is_removed_with_its_pods(cluster: Cluster) -> None:
    left = of_run(cluster, "run-1").create("mesh")
    now = of_run(cluster, "run-2")
    mine = now.create("mesh")
    assert now.remove_left(alive=["run-2"]) == [left]
    assert list(cluster.labels) == [mine]


@pytest.mark.parametrize(
    ("run_id", "checkout"),
    [("run-0", "4a7c"), ("run-1", "ffff")],
    ids=["the run that started this one", "another checkout"],
)
def test_what_belongs_to_somebody_who_may_still_run_stays(cluster: Cluster, run_id: str, checkout: str) -> None:
    theirs = of_run(cluster, run_id, checkout).create("mesh")
    assert of_run(cluster, "run-2").remove_left(alive=["run-2", "run-0"]) == []
    assert list(cluster.labels) == [theirs]


def test_namespaces_of_other_people_stay(cluster: Cluster) -> None:
    cluster.labels["shop"] = {"team": "a"}
    assert of_run(cluster, "run-2").remove_left(alive=["run-2"]) == []
    assert list(cluster.labels) == ["shop"]


def test_all_that_were_made_are_deleted_at_the_end(cluster: Cluster) -> None:
    made = of_run(cluster, "run-2")
    made.create("a")
    made.create("b")
    made.delete_all()
    assert cluster.labels == {}
