"""Phase restore, with ``--checkpoints`` on machines of this run's own: a cluster that comes back is the same one.

The suites that follow say whether it works; here is asked whether it is itself: its members, nodes, leases,
certificates and data as they were saved, and nothing of what came afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fixtures.etcd import Etcd
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import Namespaces
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.hosts import Hosts

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(17)]

CERTIFICATES = "find /etc -xdev -name '*.pem' -exec sha256sum {} +"
AFTERWARDS = "/etc/made-afterwards"

Facts = dict[str, object]


def etcd_members(etcd: Etcd, kube: Kube, hosts: Hosts) -> Facts:  # noqa: ARG001 - all facts are asked alike
    return {str(member["name"]): member["ID"] for member in etcd.json("member", "list")["members"]}


def flannel_leases(etcd: Etcd, kube: Kube, hosts: Hosts) -> Facts:  # noqa: ARG001
    # Without the tunnel's MAC address: its interface is made anew whenever a machine starts.
    return {str(lease.address): (lease.subnet, lease.backend) for lease in etcd.leases()}


def nodes(etcd: Etcd, kube: Kube, hosts: Hosts) -> Facts:  # noqa: ARG001
    return {node.metadata.name: (node.metadata.uid, node.spec.pod_cidr) for node in kube.nodes()}


def certificates(etcd: Etcd, kube: Kube, hosts: Hosts) -> Facts:  # noqa: ARG001
    return {name: sorted(hosts[name].check_output(CERTIFICATES).splitlines()) for name in hosts}


def services(etcd: Etcd, kube: Kube, hosts: Hosts) -> Facts:  # noqa: ARG001
    found = kube.core.list_service_for_all_namespaces().items
    return {f"{each.metadata.namespace}/{each.metadata.name}": each.spec.cluster_ip for each in found}


ASKED: dict[str, Callable[[Etcd, Kube, Hosts], Facts]] = {
    "etcd's members": etcd_members,
    "flannel's leases": flannel_leases,
    "nodes": nodes,
    "certificates": certificates,
    "services": services,
}


@dataclass(frozen=True)
class Return:
    """What was asked before the machines were removed, and again when they had come back.

    Attributes:
        before: facts by what was asked.
        after: the same.
        namespace: made after the machines had been saved.
        key: written to etcd after that.
    """

    before: dict[str, Facts]
    after: dict[str, Facts]
    namespace: str
    key: str


@pytest.fixture(scope="module")
def restored_at(
    pg_machines: Lifecycle,
    pg_converged: Converge | None,  # noqa: ARG001 - comes first
    pg_converge_failure: ConvergeError | None,
    request: pytest.FixtureRequest,
) -> Return:
    """Machines of this run, removed and brought back from the checkpoint of the last phase."""
    if not pg_machines.settings.checkpoints:
        pytest.skip("only with --checkpoints")
    if pg_converge_failure is not None:
        pytest.skip(f"the converge failed: {pg_converge_failure.cause}")
    if not pg_machines.created_here:
        pytest.skip("machines that an earlier run has made are not removed for this")
    etcd, kube, hosts = (request.getfixturevalue(name) for name in ("etcd", "pg_kube", "pg_hosts"))
    pg_machines.ready()
    before = {what: ask(etcd, kube, hosts) for what, ask in ASKED.items()}
    namespace = Namespaces(kube).create("afterwards")
    key = f"/afterwards/{secrets.token_hex(4)}"
    etcd.run("put", key, "lost")
    for host in hosts.values():
        host.check_output(f"touch {AFTERWARDS}")
    pg_machines.destroy()
    result = pg_machines.ensure_converged()
    assert result is not None
    assert result.outcomes == (), "nothing was left to be converged"
    pg_machines.ready()
    return Return(before, {what: ask(etcd, kube, hosts) for what, ask in ASKED.items()}, namespace, key)


@pytest.mark.parametrize("what", ASKED)
def test_what_was_saved_is_there_again(restored_at: Return, what: str) -> None:
    assert restored_at.before[what], f"there are no {what}"
    assert restored_at.after[what] == restored_at.before[what]


def test_what_came_afterwards_is_gone(restored_at: Return, etcd: Etcd, pg_kube: Kube, pg_hosts: Hosts) -> None:
    assert etcd.get(restored_at.key) is None
    assert restored_at.namespace not in {each.metadata.name for each in pg_kube.core.list_namespace().items}
    assert [name for name, host in pg_hosts.items() if host.file(AFTERWARDS).exists] == []
