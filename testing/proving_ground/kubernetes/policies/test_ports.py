"""Ports of rules: numbers, names, ranges, protocols, and whose names count."""

from __future__ import annotations

import pytest

from proving_ground.kubernetes.policies.scene import Pod, Port, Protocol, Scene
from testing.proving_ground.kubernetes.policies.cluster import PORTS, verdict

ALL = {str(port) for port in PORTS}


def open_ports(ports: str) -> set[str]:
    """The ports of default/db that a client reaches under one rule."""
    policy = f"podSelector: {{}}\ningress: [{{ports: {ports}}}]"
    return {str(port) for port in PORTS if verdict(policy, "backend/worker", port=str(port)).allowed}


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("[]", ALL),
        ("[{port: 6379}]", {"tcp:6379"}),
        ("[{port: 53}]", {"tcp:53"}),
        ("[{port: 53, protocol: UDP}]", {"udp:53"}),
        ("[{port: 53}, {port: 53, protocol: UDP}]", {"tcp:53", "udp:53"}),
        ("[{}]", {"tcp:6379", "tcp:32000", "tcp:53"}),
        ("[{protocol: UDP}]", {"udp:53"}),
        ("[{protocol: SCTP}]", {"sctp:7777"}),
        ("[{protocol: SCTP, port: 7777}]", {"sctp:7777"}),
        ("[{protocol: TCP, port: 7777}]", set()),
        ("[{port: redis}]", {"tcp:6379"}),
        ("[{port: dns}]", set()),
        ("[{port: dns, protocol: UDP}]", {"udp:53"}),
        ("[{port: nobody}]", set()),
        ("[{port: 32000, endPort: 32768}]", {"tcp:32000"}),
        ("[{port: 53, endPort: 6379}]", {"tcp:53", "tcp:6379"}),
        ("[{port: 54, endPort: 6378}]", set()),
        ("[{port: 1, endPort: 65535, protocol: UDP}]", {"udp:53"}),
        ("[{port: 6379, endPort: 6379}]", {"tcp:6379"}),
    ],
)
def test_ports(ports: str, expected: set[str]) -> None:
    assert open_ports(ports) == expected


def test_peers_and_ports_of_one_rule_belong_together_and_rules_add_up() -> None:
    frontend = "from: [{podSelector: {matchLabels: {role: frontend}}}], ports: [{port: 6379}]"
    policy = f"podSelector: {{}}\ningress: [{{{frontend}}}, {{ports: [{{port: 53}}]}}]"
    assert verdict(policy, "default/frontend", port="tcp:6379").allowed
    assert not verdict(policy, "default/other", port="tcp:6379").allowed
    assert verdict(policy, "default/other", port="tcp:53").allowed
    assert verdict(policy, "default/other", port="tcp:53").reason.endswith("default/p0 ingress[1] allows it")


def test_a_name_means_the_servers_port_in_both_directions() -> None:
    first = Pod("first", "default", {}, (Port(80, Protocol.TCP, "web"),), "10.0.0.1")
    second = Pod("second", "default", {}, (Port(8080, Protocol.TCP, "web"), Port(80, Protocol.TCP)), "10.0.0.2")
    scene = Scene({"default": {}}, (first, second))
    for policy in (
        "podSelector: {}\ningress: [{ports: [{port: web}]}]",
        "podSelector: {}\npolicyTypes: [Egress]\negress: [{ports: [{port: web}]}]",
    ):
        assert verdict(policy, "default/second", "default/first", "tcp:80", scene).allowed
        assert verdict(policy, "default/first", "default/second", "tcp:8080", scene).allowed
        assert not verdict(policy, "default/first", "default/second", "tcp:80", scene).allowed
