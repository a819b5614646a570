"""testinfra reaches hosts of an inventory by the inventory's connection, each command with a deadline."""

from __future__ import annotations

import json
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from proving_ground.ansible.existing_backend import InventoryHosts
from proving_ground.core.errors import MachineError
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Node, Topology

LOCAL = {"ansible_connection": "local"}


def hosts(root: Path, **variables: dict[str, Any]) -> InventoryHosts:
    """The hosts of an inventory with these variables, all in the group web."""
    nodes = tuple(Node(name, IPv4Address(0), ("web",), 0, 0, own) for name, own in variables.items())
    topology = Topology("default", nodes, {"machines": IPv4Network("0.0.0.0/0")}, {}, existing=True)
    inventory = root / "inventory.ini"
    common = f"[web:vars]\nansible_connection=local\nansible_python_interpreter={sys.executable}\n"
    inventory.write_text("\n".join(["[web]", *variables, common]), encoding="utf-8")
    return InventoryHosts(Settings(root, "run", provider="existing", inventory=inventory), topology)


def test_a_command_runs_on_the_host_and_the_host_has_its_name_in_the_inventory(tmp_path: Path) -> None:
    host = hosts(tmp_path, one=LOCAL)["one"]
    result = host.run("echo %s; echo no >&2; exit 3", "a b")
    assert (result.rc, result.stdout, result.stderr) == (3, "a b\n", "no\n")
    assert host.backend.get_hostname() == "one"


def test_a_command_that_does_not_end_is_ended_at_its_deadline(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"one: `sleep 60` did not end within 1 s"):
        hosts(tmp_path, one=LOCAL)["one"].run("sleep 60", timeout=1)


def test_variables_are_those_of_the_inventory(tmp_path: Path) -> None:
    known = hosts(tmp_path, one={**LOCAL, "port": 80}, two=LOCAL)["one"].ansible.get_variables()
    assert (known["inventory_hostname"], known["port"], known["group_names"]) == ("one", 80, ["web"])
    assert known["groups"] == {"all": ["one", "two"], "web": ["one", "two"]}


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"ansible_host": "192.0.2.1", "ansible_user": "me"}, ["-o User=%s", "me", "192.0.2.1"]),
        ({"ansible_ssh_host": "192.0.2.1", "ansible_ssh_port": 22022}, ["-o Port=%s", "22022", "192.0.2.1"]),
        ({"ansible_ssh_private_key_file": "/k"}, ["-i %s", "/k", "one"]),
    ],
)
def test_ssh_gets_what_the_inventory_says(tmp_path: Path, variables: dict[str, Any], line: list[str]) -> None:
    backend = hosts(tmp_path, one=variables)["one"].backend
    command, arguments = backend._build_ssh_command("true")
    assert [word for word in [*command, *arguments] if word in line] == line


def test_templates_in_a_connection_mean_what_they_mean_to_ansible(tmp_path: Path) -> None:
    variables = {"ansible_host": "{{ address }}", "ansible_ssh_private_key_file": "{{ inventory_dir }}/key"}
    known = hosts(tmp_path, one=variables)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "one.yml").write_text(json.dumps({**variables, "address": "192.0.2.7"}), encoding="utf-8")
    _, arguments = known["one"].backend._build_ssh_command("true")
    assert {"192.0.2.7", f"{tmp_path}/key"} <= set(arguments)


def test_keys_of_hosts_are_checked_unless_ansible_does_not_either(tmp_path: Path) -> None:
    no = "StrictHostKeyChecking=no"
    assert no not in " ".join(hosts(tmp_path, one={})["one"].backend._build_ssh_command("true")[0])
    (tmp_path / "ansible.cfg").write_text("[defaults]\nhost_key_checking = False\n", encoding="utf-8")
    assert no in " ".join(hosts(tmp_path, one={})["one"].backend._build_ssh_command("true")[0])


def test_podman_is_reached_by_podman(tmp_path: Path) -> None:
    variables = {"ansible_connection": "containers.podman.podman", "ansible_host": "box"}
    backend = hosts(tmp_path, one=variables)["one"].backend
    assert (backend.NAME, backend.name, backend.get_hostname()) == ("podman", "box", "one")


@pytest.mark.parametrize(
    "variables",
    [
        {"ansible_connection": "community.general.incus"},
        {"ansible_become_password": "secret"},
        {"ansible_user": "{{ unknown_variable }}"},
    ],
)
def test_ansible_itself_runs_commands_where_testinfra_cannot_connect(tmp_path: Path, variables: dict[str, Any]) -> None:
    host = hosts(tmp_path, one=variables)["one"]
    assert host.backend.NAME == "ansible"


def test_ansible_itself_returns_what_a_command_says(tmp_path: Path) -> None:
    host = hosts(tmp_path, one={"ansible_connection": "community.general.incus"})["one"]
    result = host.run("echo %s; echo no >&2; exit 3", "a b")
    assert (result.rc, result.stdout, result.stderr) == (3, "a b", "no")


def test_a_module_runs_and_its_failure_is_a_result(tmp_path: Path) -> None:
    host = hosts(tmp_path, one=LOCAL)["one"]
    assert host.ansible("stat", "path=/etc")["stat"]["isdir"]
    with pytest.raises(host.ansible.AnsibleException) as caught:
        host.ansible("command", "false", check=False)
    assert caught.value.result["rc"] == 1
