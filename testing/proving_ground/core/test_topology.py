"""Topology files become nodes, and what cannot be is refused in one clear line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.topology import load, names, parse

DIRECTORY = Path(__file__).parents[3] / "topology"

PLAN: dict[str, Any] = {
    "networks": {"machines": "10.0.0.0/24", "pods": "10.2.0.0/16", "services": "10.3.0.0/24"},
    "machines": {
        "etcd": {"count": 1, "groups": ["etcd"], "octet": 101, "memory": 512, "cpus": 1},
        "kube-worker": {"count": 2, "groups": ["kube_worker"], "octet": 121, "memory": 1024, "cpus": 1},
    },
    "variables": {"cluster_dns": "10.3.0.10"},
}


def plan(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(PLAN) | changes


def test_the_default_topology_has_the_addresses_of_the_original() -> None:
    addresses = {node.name: str(node.address) for node in load(DIRECTORY, "default").nodes}
    assert addresses == {
        "etcd-01": "10.0.0.101",
        "kube-master-01": "10.0.0.111",
        "kube-worker-01": "10.0.0.121",
        "kube-worker-02": "10.0.0.122",
    }


@pytest.mark.parametrize("name", names(DIRECTORY))
def test_every_topology_has_etcd_masters_and_workers(name: str) -> None:
    topology = load(DIRECTORY, name)
    assert {"etcd", "kube_master", "kube_worker"} == set(topology.groups)
    assert topology.variables["cluster_dns"] == "10.3.0.10"


def test_three_members_have_three_addresses() -> None:
    assert [str(node.address)[-3:] for node in load(DIRECTORY, "etcd3").group("etcd")] == ["101", "102", "103"]


def test_a_network_prefix_moves_the_machines_and_nothing_else() -> None:
    topology = load(DIRECTORY, "default", "10.7.0")
    assert str(topology.node("etcd-01").address) == "10.7.0.101"
    assert str(topology.networks["pods"]) == "10.2.0.0/16"


def test_an_unknown_topology_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"unknown topology 'nonesuch' — choose one of: default, etcd3, single"):
        load(DIRECTORY, "nonesuch")


@pytest.mark.parametrize("count", [0, 10, -1, "two", None])
def test_counts_outside_one_to_nine_are_refused(count: Any) -> None:
    changed = plan()
    changed["machines"]["kube-worker"]["count"] = count
    with pytest.raises(UsageError, match=r"machines\.kube-worker: count is .* choose 1…9"):
        parse("broken", changed)


def test_overlapping_networks_are_refused_by_name() -> None:
    networks = PLAN["networks"] | {"pods": "10.0.0.0/16"}
    with pytest.raises(UsageError, match=r"machines \(10.0.0.0/24\) and pods \(10.0.0.0/16\) overlap"):
        parse("broken", plan(networks=networks))


def test_a_prefix_that_overlaps_the_pods_is_refused() -> None:
    with pytest.raises(UsageError, match="overlap"):
        parse("default", plan(), "10.2.5")


@pytest.mark.parametrize("prefix", ["10.0", "ten", "300.1.2", "10.0.0.0"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(UsageError, match=r"--pg-network-prefix.*is no IPv4 network"):
        parse("default", plan(), prefix)


def test_machines_that_share_an_address_are_refused() -> None:
    changed = plan()
    changed["machines"]["kube-worker"]["octet"] = 101
    with pytest.raises(UsageError, match=r"etcd-01 and kube-worker-01 share 10\.0\.0\.101"):
        parse("broken", changed)


def test_a_missing_key_names_the_machine_it_is_missing_from() -> None:
    changed = plan()
    del changed["machines"]["etcd"]["octet"]
    with pytest.raises(UsageError, match=r"machines\.etcd: needs groups, octet, memory and cpus"):
        parse("broken", changed)


def test_a_file_that_is_not_yaml_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("networks: [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.yml: not YAML"):
        load(tmp_path, "bad")


def test_an_unknown_node_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no machine 'kube-worker-09'.*kube-worker-02"):
        load(DIRECTORY, "default").node("kube-worker-09")
