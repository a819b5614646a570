"""What is read from a node's own programs, from what they print."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace as Object
from typing import Any, cast

import pytest

from fixtures.etcd import Etcd, Lease
from fixtures.hosts import Hosts
from fixtures.nodes import addresses, kubernetes_nodes, listeners, only_masters
from fixtures.topology import Node, Topology

LISTENING = """\
LISTEN 0 4096      10.0.0.101:2379 0.0.0.0:*
LISTEN 0 4096       127.0.0.1:2379 0.0.0.0:*
LISTEN 0 128          0.0.0.0:22   0.0.0.0:*
LISTEN 0 128             [::]:22      [::]:*
LISTEN 0 4096 127.0.0.53%lo:53   0.0.0.0:*
LISTEN 0 4096               *:10250      *:*
"""


def host(output: str) -> Any:
    return Object(check_output=lambda _: output, run=lambda _: Object(rc=0, stdout=output, stderr=""))


def node(name: str, address: str, *groups: str) -> Node:
    return Node(name, IPv4Address(address), groups, 512, 1)


def test_listeners_tell_one_address_from_all() -> None:
    assert listeners(host(LISTENING)) == {
        2379: {"10.0.0.101", "127.0.0.1"},
        22: {"*"},
        53: {"127.0.0.53"},
        10250: {"*"},
    }


def test_addresses_are_the_nodes_own_without_loopback() -> None:
    shown = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}]},
        {"ifname": "eth1", "addr_info": [{"local": "10.0.0.121"}, {"local": "10.0.0.9"}]},
    ]
    assert addresses(host(json.dumps(shown))) == {"10.0.0.121", "10.0.0.9"}


def test_kubernetes_nodes_are_masters_and_workers_each_once() -> None:
    store, both = node("etcd-01", "10.0.0.101", "etcd"), node("m", "10.0.0.111", "kube_master", "kube_worker")
    worker, master = node("w", "10.0.0.121", "kube_worker"), node("m2", "10.0.0.112", "kube_master")
    topology = Topology("plan", (store, both, worker, master), {}, {})
    assert kubernetes_nodes(topology) == (both, master, worker)
    assert only_masters(topology) == (master,)


def store(pairs: Mapping[str, str]) -> Etcd:
    encoded = [
        {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value.encode()).decode()}
        for key, value in pairs.items()
    ]
    hosts = {"etcd-01": host(json.dumps({"kvs": encoded} if encoded else {}))}
    return Etcd(cast(Hosts, hosts), (node("etcd-01", "10.0.0.101", "etcd"),))


def test_leases_are_read_as_flannel_writes_them() -> None:
    value = {"PublicIP": "10.0.0.121", "BackendType": "vxlan", "BackendData": {"VNI": 1, "VtepMAC": "aa:bb"}}
    leases = store({"/coreos.com/network/subnets/10.2.5.0-24": json.dumps(value)}).leases()
    assert leases == [Lease(IPv4Network("10.2.5.0/24"), IPv4Address("10.0.0.121"), "vxlan", "aa:bb")]


@pytest.mark.parametrize(("pairs", "expected"), [({"/a": "b"}, b"b"), ({}, None)])
def test_key_that_is_not_there_has_no_value(pairs: dict[str, str], expected: bytes | None) -> None:
    assert store(pairs).get("/a") == expected


def test_etcdctl_that_fails_says_where_and_why() -> None:
    failing = Object(run=lambda _: Object(rc=1, stdout="", stderr="context deadline exceeded\n"))
    etcd = Etcd(cast(Hosts, {"etcd-01": failing}), (node("etcd-01", "10.0.0.101", "etcd"),))
    with pytest.raises(AssertionError, match=r"etcd-01: etcdctl get /a .*context deadline exceeded"):
        etcd.get("/a")
