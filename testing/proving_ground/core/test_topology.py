"""Topology files become nodes, and what cannot be is refused in one clear line."""

from __future__ import annotations

import copy
import json
from datetime import date
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.schema import SCHEMAS
from proving_ground.core.topology import Node, Options, Topology, load, names, parse

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


@pytest.mark.parametrize("name", ["ha", "ha-stacked"])
def test_of_a_cluster_that_is_highly_available_any_machine_may_fail(name: str) -> None:
    topology = load(DIRECTORY, name)
    assert [len(topology.group(group)) for group in ("etcd", "kube_master", "kube_worker")] == [3, 3, 2]
    assert str(topology.networks["machines"][110]) not in {str(node.address) for node in topology.nodes}


def test_a_network_prefix_moves_the_machines_and_nothing_else() -> None:
    topology = load(DIRECTORY, "default", "10.7.0")
    assert str(topology.node("etcd-01").address) == "10.7.0.101"
    assert str(topology.networks["pods"]) == "10.2.0.0/16"


def test_an_unknown_topology_is_refused_with_those_that_exist() -> None:
    with pytest.raises(
        UsageError, match=r"unknown topology 'nonesuch' — choose one of: default, etcd3, ha, ha-stacked, single"
    ):
        load(DIRECTORY, "nonesuch")


@pytest.mark.parametrize("count", [0, 10, -1, "two", None])
def test_counts_outside_one_to_nine_are_refused(count: Any) -> None:
    changed = plan()
    changed["machines"]["kube-worker"]["count"] = count
    with pytest.raises(UsageError, match=r"machines\.kube-worker\.count: is .* — write a whole number from 1 to 9$"):
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


def written(directory: Path, text: str) -> Topology:
    """The topology that a file with this text is."""
    (directory / "default.yml").write_text(text, encoding="utf-8")
    return load(directory, "default")


@pytest.mark.parametrize("text", ["machines:\n  web: {}\n", "machines: {web: {}}", "machines:\n  web:\n"])
def test_a_kind_of_machine_without_anything_else_is_a_topology(tmp_path: Path, text: str) -> None:
    topology = written(tmp_path, text)
    assert topology.nodes == (Node("web-01", IPv4Address("10.0.0.11"), ("web",), memory=1024, cpus=1),)
    assert topology.networks == {"machines": IPv4Network("10.0.0.0/24")}
    assert topology.variables == {}


def test_defaults_are_those_that_the_schema_names(tmp_path: Path) -> None:
    schema = json.loads((SCHEMAS / "topology.json").read_text(encoding="utf-8"))
    named = {
        key: rule["default"] for key, rule in schema["$defs"]["machine"]["properties"].items() if "default" in rule
    }
    topology = written(tmp_path, "machines: {web: {}}")
    node = topology.nodes[0]
    assert named == {"count": len(topology.nodes), "numbered": True, "memory": node.memory, "cpus": node.cpus}


def test_a_group_is_called_as_its_kind_and_as_ansible_allows(tmp_path: Path) -> None:
    assert written(tmp_path, "machines: {load-balancer: {}}").groups == ("load_balancer",)


def test_addresses_that_nobody_chose_are_free_ones(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {web: {count: 3}, store: {octet: 12}, cache: {count: 2}}")
    assert {node.name: str(node.address) for node in topology.nodes} == {
        **{"web-01": "10.0.0.11", "web-02": "10.0.0.13", "web-03": "10.0.0.14"},
        **{"store-01": "10.0.0.12", "cache-01": "10.0.0.15", "cache-02": "10.0.0.16"},
    }


def test_addresses_that_nobody_chose_move_with_the_network(tmp_path: Path) -> None:
    (tmp_path / "default.yml").write_text("machines: {web: {}}", encoding="utf-8")
    assert str(load(tmp_path, "default", "10.7.0").nodes[0].address) == "10.7.0.11"


def test_a_network_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"default\.yml:1: machines\.web: no address is left in 10\.9\.0\.0/28"):
        written(tmp_path, "machines: {web: {count: 5}}\nnetworks: {machines: 10.9.0.0/28}")


def test_an_octet_outside_of_the_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r":1: machines\.web: octet 253 leaves 10\.0\.0\.0/24"):
        written(tmp_path, "machines: {web: {count: 3, octet: 253}}")


def test_variables_of_a_kind_belong_to_its_machines(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {web: {variables: {port: 80}}, store: {}}")
    assert [node.variables for node in topology.nodes] == [{"port": 80}, {}]


def test_all_that_is_wrong_in_a_file_is_told_at_once_with_lines_and_the_nearest_words(tmp_path: Path) -> None:
    text = """\
networks: {machines: 10.0.0.0/24}
machines:
  web:
    count: two
    groups: web
  kube-worker:
    count: 2
    memroy: 512
    zzz: 1
varaibles: {}
"""
    with pytest.raises(UsageError) as caught:
        written(tmp_path, text)
    file = tmp_path / "default.yml"
    assert str(caught.value).splitlines() == [
        f'{file}:4: machines.web.count: is "two" — write a whole number from 1 to 9',
        f'{file}:5: machines.web.groups: is "web" — write a list of texts that is not empty',
        f"{file}:8: machines.kube-worker.memroy: unknown key — did you mean memory?",
        f"{file}:9: machines.kube-worker.zzz: unknown key — "
        "choose one of: count, numbered, groups, image, octet, memory, cpus, variables, "
        "volumes, tmpfs, ports, capabilities, environment, privileged, placement",
        f"{file}:10: varaibles: unknown key — did you mean variables?",
    ]
    assert caught.value.exit_code == 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"default\.yml: is empty — write a mapping"),
        ("networks: {}", r"default\.yml:1: needs the key machines — add machines: \{web: \{\}\}"),
        ("machines: {}", r"default\.yml:1: machines: is \{\} — write a mapping .* that is not empty"),
        ("machines:\n  web/1: {}", r"default\.yml:2: machines\.web/1: cannot be a name here — write letters, digits"),
        ("machines:\n  web: {groups: [8a]}", r':2: machines\.web\.groups\[0\]: is "8a" — write letters, digits and _'),
        ("machines:\n  nodes: {}", r":2: machines\.nodes: a group cannot be called nodes"),
        ("machines: {web: {}}\nnetworks:\n  pods: 10.2", r":3: networks\.pods: is 10\.2 — write text"),
        ("machines: {web: {}}\nnetworks:\n  pods: ten", r":3: networks\.pods: 'ten' is no IPv4 network"),
        ("machines: {web: {}}\nnetworks:\n  pods: 10.0.0.0/8", r":3: networks\.pods: networks machines .* overlap"),
        ("machines:\n  a: {count: 2, numbered: false}", r":2: machines\.a\.count: machines without a number are one"),
        ("machines:\n  a: {}\n  a-01: {numbered: false}", r":3: machines\.a-01: two machines are called a-01"),
        ("machines:\n  all: {numbered: false}", r":2: machines\.all: a machine cannot be called all"),
        ("machines:\n  web: {image: ''}", r':2: machines\.web\.image: is "" — write the name of an image'),
        (
            "machines: {web: {}}\ngroup_variables:\n  wbe: {port: 80}",
            r":3: group_variables\.wbe: no machine is in this group — did you mean web\?",
        ),
        ("machines: {web: {}}\ngroup_variables:\n  all: {}", r":3: group_variables\.all: .* — write variables"),
        ("machines: {web: {}}\ngroup_variables:\n  web: 80", r":3: group_variables\.web: is 80 — write a mapping"),
        ("machines:\n  a: {volumes: [data]}", r":2: machines\.a\.volumes\[0\]: is \"data\" — write SOURCE:TARGET"),
        ("machines:\n  a: {ports: ['80:http']}", r":2: machines\.a\.ports\[0\]: is \"80:http\" — write HOST:MACHINE"),
        (
            "machines:\n  a: {count: 2, ports: ['8080:80']}",
            r":2: machines\.a\.ports\[0\]: more than one machine .* port 8080 .* write \"80\"",
        ),
        (
            "machines:\n  a: {ports: ['8080:80']}\n  b: {ports: ['127.0.0.1:8080:443']}",
            r":3: machines\.b\.ports\[0\]: more than one machine .* port 8080",
        ),
        ("machines:\n  a: {tmpfs: [run]}", r":2: machines\.a\.tmpfs\[0\]: is \"run\" — write an absolute path"),
        ("machines:\n  a: {environment: {1A: x}}", r":2: machines\.a\.environment\.1A: cannot be a name here"),
        ("machines:\n  a: {octet: 9}\n  b: {octet: 9}", r":3: machines\.b: a-01 and b-01 share 10\.0\.0\.9"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written(tmp_path, text)


def test_variables_may_hold_whatever_ansible_takes(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {web: {}}\nvariables: {80: http, day: 2026-01-01, none: }")
    assert topology.variables == {80: "http", "day": date(2026, 1, 1), "none": None}


def test_an_unknown_topology_that_is_nearly_known_is_corrected() -> None:
    with pytest.raises(UsageError, match=r"unknown topology 'defualt' — did you mean default\?"):
        load(DIRECTORY, "defualt")


def test_a_project_without_topologies_is_told_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"write .*/default\.yml: `machines: \{web: \{\}\}` is enough"):
        load(tmp_path, "default")


def test_a_file_that_is_not_yaml_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("networks: [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.yml: not YAML"):
        load(tmp_path, "bad")


def test_an_unknown_node_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no machine 'kube-worker-09'.*kube-worker-02"):
        load(DIRECTORY, "default").node("kube-worker-09")


def test_a_machine_without_a_number_is_called_as_its_kind_and_is_in_no_group_of_that_name(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {instance: {numbered: false}, web: {numbered: false, groups: [front]}}")
    assert [(node.name, node.groups) for node in topology.nodes] == [("instance", ()), ("web", ("front",))]


def test_a_name_may_be_that_of_any_host(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {Web_1.example.com: {numbered: false}, rhel_8.x: {}}")
    assert [(node.name, node.groups) for node in topology.nodes] == [
        ("Web_1.example.com", ()),
        ("rhel_8.x-01", ("rhel_8_x",)),
    ]


def test_a_machine_may_have_an_image_of_its_own(tmp_path: Path) -> None:
    topology = written(tmp_path, "machines: {web: {image: 'debian:13', count: 2}, store: {}}")
    assert [node.image for node in topology.nodes] == ["debian:13", "debian:13", ""]


def test_what_a_file_says_goes_before_what_the_project_says_for_all(tmp_path: Path) -> None:
    text = "machines: {web: {}}\nvariables: {port: 80}\ngroup_variables: {web: {user: www}}"
    (tmp_path / "default.yml").write_text(text, encoding="utf-8")
    common: dict[str, dict[str, Any]] = {
        "networks": {"pods": "10.2.0.0/16"},
        "variables": {"port": 8080, "name": "x"},
        "group_variables": {"web": {"user": "nobody", "home": "/srv"}, "store": {"size": 1}, "nodes": {"all": True}},
    }
    topology = load(tmp_path, "default", None, common)
    assert topology.variables == {"port": 80, "name": "x"}
    assert topology.group_variables == {"web": {"user": "www", "home": "/srv"}, "nodes": {"all": True}}
    assert str(topology.networks["pods"]) == "10.2.0.0/16"


def test_what_a_container_gets_is_kept_as_it_is_said(tmp_path: Path) -> None:
    text = """\
machines:
  web:
    count: 2
    volumes: [./data:/data:ro]
    tmpfs: [/tmp]
    ports: ["80", "53/udp"]
    capabilities: [NET_ADMIN]
    environment: {KEY: value, PORT: 80}
    privileged: true
    cpus: 2
  store: {}
"""
    web, _, store = written(tmp_path, text).nodes
    assert web.options == Options(
        volumes=("./data:/data:ro",),
        tmpfs=("/tmp",),
        ports=("80", "53/udp"),
        capabilities=("NET_ADMIN",),
        environment=(("KEY", "value"), ("PORT", "80")),
        privileged=True,
        cpus=2,
    )
    assert store.options == Options(), "by default a container may use all of the host's processors"
