"""Engines that are not those of one swarm are an error that says which, and what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import pytest

from proving_ground.core.errors import HarnessError, MachineError
from proving_ground.providers import swarm_nodes
from proving_ground.providers.docker_engine import DockerEngine

LABELS = {"first": {"zone": "a"}, "second": {"zone": "b"}}


@dataclass
class Node(DockerEngine):
    """An engine; what it says of its swarm, and what a manager says of the nodes."""

    address: str
    node: str = "first"
    state: str = "active"
    manager: bool = False
    known: tuple[str, ...] = ("first", "second")
    status: str = "ready"
    machine: dict[str, str] = field(default_factory=lambda: dict.fromkeys(("first", "second"), "x86_64"))

    def run(self, *words: str, **_: object) -> str:
        match words:
            case ("info", *_):
                swarm = {"LocalNodeState": self.state, "NodeID": self.node, "ControlAvailable": self.manager}
                return json.dumps(swarm)
            case ("node", "ls", *_):
                return "\n".join(self.known)
            case ("node", "inspect", *names):
                return json.dumps([self._described(name) for name in names])
            case ("network", "ls", "--quiet"):
                return "1\n2\n3\n"
            case ("network", "inspect", "1", "2", "3"):
                ingress = {"Name": "ingress", "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}]}}
                six = {"Name": "six", "IPAM": {"Config": [{"Subnet": "fd00::/64"}, {"Gateway": "10.3.0.1"}]}}
                return json.dumps([ingress, six, {"Name": "host", "IPAM": {"Config": None}}])
        raise AssertionError(words)

    def _described(self, name: str) -> dict[str, Any]:
        platform = {"OS": "linux", "Architecture": self.machine[name]}
        return {
            "ID": name,
            "Spec": {"Labels": LABELS[name], "Role": "manager" if name == "first" else "worker"},
            "Description": {"Hostname": f"{name}.test", "Platform": platform, "Engine": {"Labels": {"gpu": "yes"}}},
            "Status": {"State": self.status},
        }


def first(**more: Any) -> Node:
    return Node("one", manager=True, **more)


def test_members_have_what_constraints_may_name() -> None:
    one, two = swarm_nodes.members([first(), Node("two", "second")])
    assert (one.engine, two.engine) == ("one", "two")
    assert one.attributes == {
        "node.id": "first",
        "node.hostname": "first.test",
        "node.role": "manager",
        "node.platform.os": "linux",
        "node.platform.arch": "x86_64",
        "node.labels.zone": "a",
        "engine.labels.gpu": "yes",
    }
    assert two.attributes["node.labels.zone"] == "b"


def test_one_engine_may_be_a_swarm() -> None:
    assert [each.engine for each in swarm_nodes.members([first()])] == ["one"]


@pytest.mark.parametrize(
    ("engines", "text", "code"),
    [
        (
            [first(), Node("two", "", state="inactive")],
            "two is in no swarm (inactive) — run `docker swarm init` on the first engine",
            12,
        ),
        ([Node("two", "second"), first()], "the first, two, is no manager of its swarm — put a manager first", 12),
        (
            [first(known=("first",)), Node("two", "second", manager=True)],
            "two is in another swarm than one — let it leave (`docker swarm leave`)",
            12,
        ),
        ([first(), Node("unix:///one.sock")], "one and unix:///one.sock are the same engine — drop one", 11),
        ([first(status="down")], "one answers, but is down for its swarm — look at `docker node ls`", 12),
        (
            [first(machine={"first": "x86_64", "second": "aarch64"}), Node("two", "second")],
            "one (linux x86_64) and two (linux aarch64) are of different kinds — name engines of one kind",
            12,
        ),
    ],
)
def test_engines_that_cannot_share_machines_are_one_clear_line(engines: list[Node], text: str, code: int) -> None:
    with pytest.raises(HarnessError) as caught:
        swarm_nodes.members(engines)
    assert str(caught.value).startswith(f"engines in [tool.proving-ground]: {text}")
    assert caught.value.exit_code == code


def test_an_engine_that_is_gone_meanwhile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> str:
        raise MachineError("connection refused")

    two = Node("two", "second")
    monkeypatch.setattr(two, "run", gone)
    with pytest.raises(HarnessError, match=r"two does not answer: connection refused") as caught:
        swarm_nodes.members([first(), two])
    assert caught.value.exit_code == 12


def test_networks_are_those_with_a_subnet_of_ipv4() -> None:
    assert swarm_nodes.networks(first()) == [("ingress", IPv4Network("10.0.0.0/24"))]
