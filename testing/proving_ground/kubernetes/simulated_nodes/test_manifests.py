"""What stands for simulated nodes in the API."""

from __future__ import annotations

import base64
from ipaddress import IPv4Network

import yaml

from proving_ground.kubernetes.client import NOT_SIMULATED
from proving_ground.kubernetes.simulated_nodes import manifests
from proving_ground.kubernetes.simulated_nodes.controller import STAGES


def test_every_node_has_a_part_of_the_pod_network_of_its_own() -> None:
    made = [manifests.node(index, name, "me") for index, name in enumerate(manifests.names(manifests.MOST))]
    networks = [IPv4Network(each["spec"]["podCIDR"]) for each in made]
    assert len({*networks}) == manifests.MOST
    assert {each.prefixlen for each in networks} == {24}
    assert all(each.subnet_of(manifests.POD_NETWORK) for each in networks)
    assert [str(networks[0]), str(networks[-1])] == ["100.64.0.0/24", "100.67.231.0/24"]


def test_names_are_in_the_order_of_their_numbers() -> None:
    assert manifests.names(2) == ["simulated-0001", "simulated-0002"]
    assert sorted(manifests.names(1000)) == manifests.names(1000)


def test_the_selector_of_real_nodes_leaves_simulated_ones_out() -> None:
    key, _, value = NOT_SIMULATED.partition("!=")
    assert manifests.node(0, "simulated-0001", "me")["metadata"]["labels"][key] == value


def test_nothing_lands_on_a_node_by_itself_and_what_asks_for_it_may() -> None:
    (taint,) = manifests.node(0, "simulated-0001", "me")["spec"]["taints"]
    assert taint["effect"] == "NoSchedule"
    assert manifests.TOLERATION["key"] == taint["key"]


def test_a_node_has_no_address_and_a_zone_of_its_own() -> None:
    node = manifests.node(0, "simulated-0001", "me")
    assert "addresses" not in node["status"]
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "simulated"
    assert "addresses" not in STAGES.read_text(encoding="utf-8")


def test_the_controller_has_only_the_nodes_of_its_checkout() -> None:
    options = manifests.configuration("me")["options"]
    labels = manifests.node(0, "simulated-0001", "me")["metadata"]["labels"]
    key, _, value = options["manageNodesWithLabelSelector"].partition("=")
    assert labels[key] == value == "me"
    assert options["manageAllNodes"] is False


def test_the_controller_may_neither_make_nodes_nor_read_secrets() -> None:
    made = manifests.rights()
    may = {
        (resource, verb)
        for rule in made["ClusterRole"]["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert ("nodes/status", "patch") in may
    assert not {("nodes", "create"), ("nodes", "delete"), ("secrets", "get"), ("pods", "create")} & may
    (subject,) = made["ClusterRoleBinding"]["subjects"]
    assert subject["name"] == made["ServiceAccount"]["metadata"]["name"]


def test_the_kubeconfig_has_the_account_and_the_authority() -> None:
    made = manifests.kubeconfig("https://10.0.0.1:6443", b"PEM", "secret")
    cluster = made["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"PEM"
    assert made["users"][0]["user"] == {"token": "secret"}
    assert made["current-context"] == made["contexts"][0]["name"]
    assert manifests.kubeconfig("http://a", b"", "")["clusters"][0]["cluster"] == {"server": "http://a"}


def test_stages_are_of_nodes_and_of_pods() -> None:
    stages = list(yaml.safe_load_all(STAGES.read_text(encoding="utf-8")))
    kinds = [each["spec"]["resourceRef"]["kind"] for each in stages]
    assert kinds == ["Node", "Pod", "Pod", "Pod"]
