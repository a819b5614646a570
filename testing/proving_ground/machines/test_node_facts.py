"""What is read of a machine from its own programs, from what they print."""

from __future__ import annotations

import json
from types import SimpleNamespace as Object
from typing import Any

from proving_ground.machines.node_facts import Socket, addresses, listeners, sections_of, sockets

LISTENING = """\
udp UNCONN 0 0            0.0.0.0:8472  0.0.0.0:*
tcp LISTEN 0 4096      127.0.0.11:38211 0.0.0.0:*
tcp LISTEN 0 128             [::]:22       [::]:*    users:(("sshd",pid=101,fd=4))
tcp LISTEN 0 4096  127.0.0.1%lo:10259 0.0.0.0:*    users:(("kube-scheduler",pid=9,fd=3),("kube-scheduler",pid=10,fd=3))
tcp LISTEN 0 4096               *:6443        *:*    users:(("kube-apiserver",pid=7,fd=3))
"""


def test_sockets_are_read_with_protocol_address_port_and_process() -> None:
    assert list(sockets(LISTENING)) == [
        Socket("udp", "*", 8472, ""),
        Socket("tcp", "127.0.0.11", 38211, ""),
        Socket("tcp", "*", 22, "sshd"),
        Socket("tcp", "127.0.0.1", 10259, "kube-scheduler"),
        Socket("tcp", "*", 6443, "kube-apiserver"),
    ]


def host(output: str) -> Any:
    return Object(check_output=lambda _: output)


def test_listeners_tell_one_address_from_all() -> None:
    both = f"{LISTENING}tcp LISTEN 0 4096 10.0.0.101:2379 0.0.0.0:*\ntcp LISTEN 0 4096 127.0.0.1:2379 0.0.0.0:*\n"
    assert listeners(host(both)) == {
        38211: {"127.0.0.11"},
        22: {"*"},
        10259: {"127.0.0.1"},
        6443: {"*"},
        2379: {"10.0.0.101", "127.0.0.1"},
    }


def test_addresses_are_the_nodes_own_without_loopback() -> None:
    shown = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}]},
        {"ifname": "eth1", "addr_info": [{"local": "10.0.0.121"}, {"local": "10.0.0.9"}]},
    ]
    assert addresses(host(json.dumps(shown))) == {"10.0.0.121", "10.0.0.9"}


def test_sections_may_be_empty() -> None:
    assert sections_of("@@ swaps\n@@ units\na enabled\n@@ ended\n1.5\n") == {
        "swaps": "",
        "units": "a enabled",
        "ended": "1.5",
    }
