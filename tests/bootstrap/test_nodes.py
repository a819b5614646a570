"""Machines before anything is installed: what they have, and above all what they do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testinfra.host import Host

from proving_ground.core.polling import NotReady, WaitTimeoutError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.machines.node_facts import ip

if TYPE_CHECKING:
    from proving_ground.lifecycle.lifecycle import Lifecycle

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
def untouched(pg_machines: Lifecycle, host: Host) -> Host:
    """The host, if nothing has been installed on it yet; otherwise the test has nothing to look at."""
    record = pg_machines.ledger.read()
    if record is not None and record.phase == "converged":
        pytest.skip("the machines are converged already")
    new = pg_machines.created_here and not pg_machines.settings.checkpoints
    if not new and host.file("/opt/python").exists:
        pytest.skip("the machines come from an earlier run, which has begun to converge them")
    return host


@pytest.mark.smoke
def test_node_boots_without_a_failed_unit(untouched: Host) -> None:
    state = untouched.run("systemctl is-system-running --wait").stdout.strip()
    assert state == "running", untouched.run("systemctl --failed --plain --no-legend").stdout


def test_what_waits_for_the_network_waits_for_the_machines_own_address(
    untouched: Host, pg_topology: Topology, pg_timeouts: Timeouts
) -> None:
    """Docker connects a container to its networks while it boots: who asks another machine too soon is not heard."""
    if untouched.run("systemd-detect-virt --quiet --container").rc != 0:
        pytest.skip("a virtual machine's kernel has the address before anything is started")
    name = untouched.check_output("hostname")
    address = f"{pg_topology.node(name).address}/{pg_topology.networks['machines'].prefixlen}"

    def online() -> None:
        state = untouched.check_output("systemctl show --property ActiveState --value network-online.target")
        if state != "active":
            raise NotReady(f"it is {state}")

    with untouched.sudo():
        untouched.check_output("ip address flush dev eth1")
        try:
            untouched.check_output("systemctl start --no-block network-online.target")
            with pytest.raises(WaitTimeoutError, match="it is inactive"):
                pg_timeouts.wait_until(f"{name} is online without its address", online, timeout=0.5)
        finally:
            untouched.check_output(f"ip address add {address} dev eth1")
        pg_timeouts.wait_until(f"{name} is online with its address", online, timeout=10)
        untouched.check_output("systemctl stop network-online.target private-network.service")


def test_key_that_opens_a_node_is_its_own_file(untouched: Host, pg_settings: Settings) -> None:
    """No file of somebody else opens it to sshd, and the user of the host is somebody else there."""
    if pg_settings.provider != "docker":
        pytest.skip("a virtual machine is told its key when it starts")
    assert untouched.run("mountpoint -q /etc/ssh/authorized_keys.d").rc != 0
    file = untouched.file("/etc/ssh/authorized_keys.d/core")
    assert (file.user, file.mode) == ("root", 0o644)
    public = pg_settings.state_directory / "ssh" / "id_ed25519.pub"
    assert file.content_string == public.read_text(encoding="ascii")


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


def test_node_has_its_planned_address(untouched: Host, pg_node: Node) -> None:
    planned = [entry["ifname"] for entry in ip(untouched, "-4", "address", "show", "to", str(pg_node.address)) if entry]
    assert planned == ["eth1"]


def test_node_bears_its_planned_name(untouched: Host, pg_node: Node) -> None:
    assert untouched.check_output("cat /proc/sys/kernel/hostname") == pg_node.name
