"""Machines before anything is installed: what they have, and above all what they do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testinfra.host import Host

from fixtures.nodes import ip
from fixtures.topology import Node

if TYPE_CHECKING:
    from fixtures.lifecycle import Lifecycle

pytestmark = [
    pytest.mark.order(10),
    pytest.mark.before_converge,
    pytest.mark.hosts("etcd", "kube_master", "kube_worker"),
]

PYTHONS = "python python2 python3 pypy pypy3 platform-python"
PACKAGE_MANAGERS = "apt apt-get aptitude dpkg rpm dnf yum zypper apk pacman emerge snap flatpak nix"


def found(host: Host, programs: str) -> list[str]:
    """Which of these programs the node has."""
    return str(host.check_output(f"for program in {programs}; do command -v $program; done; true")).split()


@pytest.fixture
def untouched(machines: Lifecycle, host: Host) -> Host:
    """The host, if nothing has been installed on it yet; otherwise the test has nothing to look at."""
    record = machines.ledger.read()
    if record is not None and record.phase == "converged":
        pytest.skip("the machines are converged already")
    new = machines.created_here and not machines.settings.checkpoints
    if not new and host.file("/opt/python").exists:
        pytest.skip("the machines come from an earlier run, which has begun to converge them")
    return host


@pytest.mark.smoke
def test_node_boots_without_a_failed_unit(untouched: Host) -> None:
    state = untouched.run("systemctl is-system-running --wait").stdout.strip()
    assert state == "running", untouched.run("systemctl --failed --plain --no-legend").stdout


def test_node_has_no_python(untouched: Host) -> None:
    assert found(untouched, "sh bash"), "looking for programs finds none at all"
    assert found(untouched, PYTHONS) == []
    files = untouched.check_output("find / -xdev -type f -name 'python*' -perm /111")
    assert files == ""


def test_node_has_no_package_manager(untouched: Host) -> None:
    assert found(untouched, PACKAGE_MANAGERS) == []


def test_node_refuses_changes_of_usr(untouched: Host) -> None:
    refused = untouched.run("touch /usr/changed")
    assert refused.rc != 0
    assert "Read-only file system" in refused.stderr


def test_node_takes_files_where_a_playbook_puts_them(untouched: Host) -> None:
    for directory in ("/opt", "/etc", "/var"):
        untouched.check_output(f"rm $(mktemp --tmpdir={directory} taken.XXXXXX)")


def test_node_lets_core_become_root_without_a_password(untouched: Host) -> None:
    assert untouched.check_output("printenv SUDO_USER; id --user").split() == ["core", "0"]


def test_node_has_its_planned_address(untouched: Host, node: Node) -> None:
    planned = [entry["ifname"] for entry in ip(untouched, "-4", "address", "show", "to", str(node.address)) if entry]
    assert planned == ["eth1"]


def test_node_bears_its_planned_name(untouched: Host, node: Node) -> None:
    assert untouched.check_output("cat /proc/sys/kernel/hostname") == node.name
