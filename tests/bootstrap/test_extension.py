"""Python as a system extension: merged into /usr, exchanged, refused where it does not fit, and taken away again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from testinfra.host import Host

from proving_ground.ansible.adhoc import ModuleError
from proving_ground.core.topology import Node, Topology
from proving_ground.plugin.ansible_adhoc import AdHoc

ROLE = "bootstrap/ansible-bootstrap"
CHOICE = "ansible_bootstrap_python"
RELEASE = "usr/lib/extension-release.d/extension-release.python"

pytestmark = [pytest.mark.order(21), pytest.mark.role(ROLE), pytest.mark.hosts("etcd", "kube_master", "kube_worker")]


@pytest.fixture(autouse=True)
def chosen(pg_topology: Topology) -> None:
    """Skip where the run has another Python."""
    if pg_topology.variables.get(CHOICE) != "sysext":
        pytest.skip(f"{CHOICE} is not sysext: PG_PROFILE=sysext")


def merged(host: Host) -> list[str]:
    """Names of the extensions in /usr."""
    with host.sudo():
        status = json.loads(host.check_output("systemd-sysext status --json=short"))
    extensions = next(each["extensions"] for each in status if each["hierarchy"] == "/usr")
    return [extensions] if isinstance(extensions, str) else list(extensions)


def test_python_is_an_extension_that_systemd_has_merged(host: Host) -> None:
    assert merged(host) == ["python"]
    assert host.file("/usr/bin/python3").linked_to == "/usr/lib/python/bin/python3.11"
    assert host.file("/opt/python").linked_to == "/usr/lib/python"
    assert host.mount_point("/usr").filesystem == "overlay"
    assert "ro" in host.mount_point("/usr").options


def test_extension_does_not_reach_into_opt(host: Host) -> None:
    with host.sudo():
        host.check_output("touch /opt/.writable && rm /opt/.writable")  # the nodes' programs are installed there


def test_extension_is_merged_again_when_the_machine_starts(host: Host) -> None:
    assert host.service("systemd-sysext").is_enabled
    with host.sudo():
        host.check_output("systemctl restart systemd-sysext.service")  # what a start runs, and what a stop does
    assert merged(host) == ["python"]


Converge = Callable[..., str]


@pytest.fixture
def converge(host: Host, pg_node: Node, pg_ansible: AdHoc) -> Iterator[Converge]:
    """Runs the role on this test's machine, with another archive or another entry point; at the end as it was."""
    name = pg_node.name

    def run(entry: str = "main", **variables: str) -> str:
        # As the playbook does: the strategy of all other plays needs Python on the machine.
        strategy = {"ANSIBLE_STRATEGY": "ansible.builtin.linear"}
        role = {"name": ROLE, "tasks_from": entry}
        answer = pg_ansible(name, "include_role", role, become=True, extra_vars=variables, env=strategy)
        return str(answer[name]["stdout"])

    yield run
    assert "unchanged" in run() or merged(host) == ["python"]


def archive(host: Host, change: str) -> str:
    """Make an archive on the machine, of the extension that is there and one change of its files."""
    work = "/var/tmp/extension"
    with host.sudo():
        host.check_output(
            f"rm -rf {work} && cp -a /var/lib/extensions/python {work} && cd {work} && {change} && "
            f"tar -c -f {work}.tar . && rm -rf {work}"
        )
    return f"{work}.tar"


@pytest.mark.disruptive
@pytest.mark.hosts("etcd")
def test_newer_extension_takes_the_place_of_the_one_that_is_there(host: Host, converge: Converge) -> None:
    newer = archive(host, "echo newer >usr/lib/python/newer")
    assert "unpacked" in converge(ansible_bootstrap_archive=newer)
    assert host.file("/usr/lib/python/newer").content_string == "newer\n"
    assert merged(host) == ["python"]
    assert "unpacked" in converge()
    assert not host.file("/usr/lib/python/newer").exists


@pytest.mark.disruptive
@pytest.mark.hosts("etcd")
@pytest.mark.parametrize(("key", "value"), [("ID", "flatcar"), ("VERSION_ID", "11")])
def test_extension_for_another_system_is_refused_and_the_one_that_is_there_stays(
    host: Host, converge: Converge, key: str, value: str
) -> None:
    wrong = archive(host, f"sed -i s/^{key}=.*/{key}={value}/ {RELEASE}")
    with pytest.raises(ModuleError, match=f"is for {key}={value}, this system has {key}="):
        converge(ansible_bootstrap_archive=wrong)
    assert merged(host) == ["python"]
    assert host.run("/opt/python/bin/python3 --version").rc == 0


@pytest.mark.disruptive
@pytest.mark.hosts("etcd")
def test_extension_is_taken_away_and_comes_back(host: Host, converge: Converge) -> None:
    assert "removed" in converge("absent")
    assert "unchanged" in converge("absent")
    assert merged(host) == ["none"]
    assert not host.file("/opt/python").exists
    assert host.run("command -v python3").rc != 0
    assert "unpacked" in converge()
    assert merged(host) == ["python"]
