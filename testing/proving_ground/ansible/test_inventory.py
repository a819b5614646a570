"""The inventory that Ansible reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proving_ground.ansible.inventory import inventory
from proving_ground.core.topology import Topology, load, parse

DIRECTORY = Path(__file__).parents[3] / "topology"


def content(topology: str | Topology) -> dict[str, Any]:
    plan = load(DIRECTORY, topology) if isinstance(topology, str) else topology
    text = inventory(
        plan,
        user="core",
        python="/opt/python/bin/python3",
        connections={node.name: {} for node in plan.nodes},
        common={"provider": "docker"},
    )
    everything: dict[str, Any] = yaml.safe_load(text)["all"]
    return everything


def test_every_group_has_its_machines() -> None:
    children = content("default")["children"]
    assert list(children["kube_worker"]["hosts"]) == ["kube-worker-01", "kube-worker-02"]
    assert list(children["etcd"]["hosts"]) == ["etcd-01"]


def test_one_machine_can_be_in_every_group() -> None:
    children = content("single")["children"]
    assert {group: list(children[group]["hosts"]) for group in ("etcd", "kube_master", "kube_worker")} == {
        "etcd": ["kube-single-01"],
        "kube_master": ["kube-single-01"],
        "kube_worker": ["kube-single-01"],
    }


def test_networks_and_variables_reach_every_host() -> None:
    variables = content("default")["vars"]
    assert variables["pod_network"] == "10.2.0.0/16"
    assert variables["service_network"] == "10.3.0.0/24"
    assert variables["machine_network"] == "10.0.0.0/24"
    assert variables["cluster_dns"] == "10.3.0.10"
    assert variables["provider"] == "docker"


def test_only_machines_are_hosts() -> None:
    """A play with ``hosts: all``, as in most people's roles, must not run on the controller."""
    everything = content("default")
    assert "hosts" not in everything
    named = {host for group in everything["children"].values() for host in group["hosts"]}
    assert named == {"etcd-01", "kube-master-01", "kube-worker-01", "kube-worker-02"}


def test_a_machine_knows_its_own_address() -> None:
    assert content("default")["children"]["nodes"]["hosts"]["kube-worker-02"] == {"node_address": "10.0.0.122"}


def test_variables_of_a_kind_reach_its_machines_alone() -> None:
    topology = parse("own", {"machines": {"web": {"count": 2, "variables": {"port": 80}}, "store": {}}})
    hosts = content(topology)["children"]["nodes"]["hosts"]
    assert {name: variables.get("port") for name, variables in hosts.items()} == {
        **{"web-01": 80, "web-02": 80},
        "store-01": None,
    }
    assert hosts["web-01"]["node_address"] == "10.0.0.11"


def test_variables_of_a_group_are_those_of_the_group() -> None:
    said = {"web": {"port": 80}, "nodes": {"ansible_user": "admin", "x": 1}}
    topology = parse("own", {"machines": {"web": {}, "store": {}}, "group_variables": said})
    children = content(topology)["children"]
    assert children["web"] == {"hosts": {"web-01": {}}, "vars": {"port": 80}}
    assert "vars" not in children["store"]
    python = "/opt/python/bin/python3"
    assert children["nodes"]["vars"] == {"ansible_user": "admin", "ansible_python_interpreter": python, "x": 1}
