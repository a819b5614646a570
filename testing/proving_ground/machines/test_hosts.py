"""testinfra's hosts by name: those of the plan, and made when they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.settings import Settings
from proving_ground.core.topology import load
from proving_ground.machines.hosts import Hosts

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    return Hosts(Settings(tmp_path, "run-1"), load(ROOT / "topology", "default"))


def test_hosts_are_those_of_the_plan_in_its_order(hosts: Hosts) -> None:
    assert list(hosts) == ["etcd-01", "kube-master-01", "kube-worker-01", "kube-worker-02"]
    assert len(hosts) == 4


def test_a_host_is_made_once_and_reached_by_the_runs_own_configuration(hosts: Hosts, tmp_path: Path) -> None:
    host = hosts["kube-worker-02"]
    assert hosts["kube-worker-02"] is host
    assert host.backend.get_hostname() == "kube-worker-02"
    assert host.backend.ssh_config == str(tmp_path / ".proving-ground" / "ssh.config")


def test_a_host_that_is_none_is_named_with_those_that_are(hosts: Hosts) -> None:
    with pytest.raises(KeyError, match="no machine 'moon'; there are etcd-01, kube-master-01"):
        hosts["moon"]
