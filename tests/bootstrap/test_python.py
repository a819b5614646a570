"""Nodes after bootstrap: Python answers at /opt, Ansible's modules run, and the system itself is as it was."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host

from proving_ground.core.topology import Node, Topology
from proving_ground.plugin.ansible_adhoc import AdHoc

pytestmark = [pytest.mark.order(20), pytest.mark.role("bootstrap/ansible-bootstrap")]

PYTHON = "/opt/python/bin/python3"


@pytest.mark.smoke
@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_python_answers(host: Host) -> None:
    program = "import json, ssl, hashlib, subprocess, sys; print(json.dumps(list(sys.version_info[:2])))"
    major, minor = json.loads(host.check_output(f"{PYTHON} -c '{program}'"))
    assert (major, minor) >= (3, 9)


@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_python_is_not_part_of_the_system(host: Host) -> None:
    # A system extension is no part of it: in a mount namespace of the test's own, it is taken out of /usr first.
    look = "command -v python3 python pypy3; find /usr /bin /sbin -xdev -name 'python3*' -perm /111"
    with host.sudo():
        found = host.check_output(f"unshare --mount sh -c 'systemd-sysext unmerge >&2; {look}' || true")
    assert found == ""


def test_ansible_modules_run_on_every_node(pg_ansible: AdHoc, pg_topology: Topology) -> None:
    answers = pg_ansible("nodes", "ansible.builtin.ping")
    answered = {name: answer["ping"] for name, answer in answers.items()}
    assert answered == {node.name: "pong" for node in pg_topology.nodes}


@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_node_still_refuses_changes_of_usr(host: Host, pg_node: Node) -> None:
    assert "Read-only file system" in host.run("touch /usr/changed").stderr, f"{pg_node.name} took a file in /usr"
