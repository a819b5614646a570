"""What listens on machines: all that is declared in fixtures/listeners.yml, where it is declared, and nothing else."""

from __future__ import annotations

import pytest
from testinfra.host import Host

from fixtures.listeners import declared, differences
from fixtures.machine_facts import Facts
from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node
from proving_ground.machines.node_facts import SOCKETS, sockets

pytestmark = [
    pytest.mark.order(75),
    pytest.mark.role("configure/etcd", "configure/kube-master", "configure/kube-worker", "configure/virtual-address"),
]


@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_machine_listens_where_it_is_declared_and_nowhere_else(
    host: Host, pg_node: Node, machine_facts: dict[str, Facts], pg_timeouts: Timeouts
) -> None:
    looks = iter([machine_facts[pg_node.name].sockets])

    def as_declared() -> None:
        found = next(looks, None) or set(sockets(host.check_output(SOCKETS)))
        if wrong := [*differences(declared(pg_node), found, pg_node)]:
            raise NotReady("; ".join(wrong))

    # What has just ended, or starts again, is no news: only what stays.
    pg_timeouts.wait_until(f"{pg_node.name} listens where it is declared", as_declared, timeout=5)
