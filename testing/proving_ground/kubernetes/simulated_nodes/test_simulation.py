"""Simulated nodes are started, awaited and removed; what a killed run has left is removed first."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.timeouts import USUAL
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes import simulation as simulations
from proving_ground.kubernetes.simulated_nodes.simulation import Simulation, cluster_of

from .fake_api import FakeApi


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "SETTLE_SECONDS", 0.01)


@pytest.fixture
def simulation(kubeconfig: Path, tmp_path: Path) -> Simulation:
    return Simulation(Kube(kubeconfig, context=None), tmp_path / "simulated-nodes", tmp_path / "kwok.log", "me")


def test_all_are_ready_beside_the_real_node(simulation: Simulation, api: FakeApi, kwok: Path) -> None:
    seconds = simulation.start(kwok, 20)
    try:
        assert 0 < seconds < 60
        assert len(simulation.names) == 20
        assert simulation.controller.is_alive
        assert {each.rpartition("/")[2] for each in api.objects if "/nodes/" in each} == {"real", *simulation.names}
        assert [each.metadata.name for each in simulation.kube.core.list_node().items if each.spec is None] == ["real"]
    finally:
        simulation.remove()


def test_they_are_removed_with_all_that_is_there_because_of_them(
    simulation: Simulation, api: FakeApi, kwok: Path, tmp_path: Path
) -> None:
    before = set(api.objects)
    simulation.start(kwok, 3)
    first = simulation.names[0]
    api.add(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{first}")
    api.add("/api/v1/namespaces/test/pods/there", spec={"nodeName": first})
    api.add("/api/v1/namespaces/default/events/about", involvedObject={"kind": "Node", "name": first})
    kinds = {kind for kind, _, _ in simulation.traces.found()}
    assert kinds == {"Node", "Lease", "Pod", "Event", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
    assert simulation.remove() > 0
    assert set(api.objects) == before
    assert not simulation.controller.is_alive
    assert not (tmp_path / "simulated-nodes").exists()
    assert simulation.remove() == 0


@pytest.mark.parametrize("others", [2, 200])
def test_what_is_many_is_deleted_without_what_is_of_others(
    simulation: Simulation, api: FakeApi, kwok: Path, others: int
) -> None:
    """By one request where it can name all others, else one by one."""
    for number in range(others):
        api.add(f"/api/v1/nodes/other-{number}", status={})
        api.add(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/other-{number}")
    api.add("/api/v1/namespaces/test/pods/waiting", spec={})
    api.add("/api/v1/namespaces/test/pods/of-a-lost-node", spec={"nodeName": "lost"})
    api.add("/api/v1/namespaces/default/events/pod", involvedObject={"kind": "Pod", "name": "simulated-0001"})
    before = set(api.objects)
    simulation.start(kwok, 50)
    for name in simulation.names:
        api.add(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")
        api.add(f"/api/v1/namespaces/test/pods/on-{name}", spec={"nodeName": name})
        api.add(f"/api/v1/namespaces/default/events/{name}", involvedObject={"kind": "Node", "name": name})
    simulation.remove()
    assert set(api.objects) == before
    deleted = [each for each in api.asked if each.startswith("DELETE") and "simulated" in each]
    assert len(deleted) == (0 if others == 2 else 150)


def test_a_later_run_removes_what_a_killed_one_has_left(
    simulation: Simulation, api: FakeApi, kwok: Path, tmp_path: Path
) -> None:
    before = set(api.objects)
    simulation.start(kwok, 3)
    left = cluster_of(tmp_path / "simulated-nodes", USUAL)
    assert (left.kubeconfig, left.context) == (simulation.kube.kubeconfig, None)
    later = Simulation(left, tmp_path / "simulated-nodes", tmp_path / "kwok.log", "me")
    later.start(kwok, 2)
    assert later.names == ["simulated-0001", "simulated-0002"]
    later.remove()
    assert set(api.objects) == before
    simulation.controller.stop()


def test_what_was_begun_is_removed_although_a_node_could_not_be_made(
    simulation: Simulation, api: FakeApi, kwok: Path
) -> None:
    from kubernetes import client

    api.add("/api/v1/nodes/simulated-0002", status={})
    before = set(api.objects)
    with pytest.raises(client.ApiException, match="409"):
        simulation.start(kwok, 3)
    simulation.remove()
    assert set(api.objects) == before, "the node that was there is somebody else's"


def test_a_daemon_set_that_would_run_on_them_is_refused_before_anything_is_made(
    simulation: Simulation, api: FakeApi, kwok: Path
) -> None:
    template = {"spec": {"tolerations": [{"operator": "Exists"}]}}
    api.add("/apis/apps/v1/namespaces/net/daemonsets/agent", spec={"template": template})
    before = set(api.objects)
    with pytest.raises(MachineError, match="net/agent") as error:
        simulation.start(kwok, 3)
    assert "NotIn" in error.value.hint
    assert set(api.objects) == before
    assert simulation.names == []


def test_nodes_that_do_not_become_ready_are_an_error_that_counts_them(
    simulation: Simulation, api: FakeApi, kwok: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulations, "READY_SECONDS", 0.2)
    api.ready = False
    with pytest.raises(MachineError, match=r"0 of 2 were Ready after") as error:
        simulation.start(kwok, 2)
    assert error.value.log == simulation.controller.log
    simulation.remove()


def test_the_end_of_the_controller_ends_the_wait(simulation: Simulation, api: FakeApi, kwok: Path) -> None:
    api.ready = False
    kwok.write_text("#!/bin/sh\nexit 4\n", encoding="utf-8")
    with pytest.raises(MachineError, match="has ended with 4"):
        simulation.start(kwok, 2)
    simulation.remove()
