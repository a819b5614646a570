"""Machines as the playbook leaves them: clocks, swap, routes, what starts with them, and that nothing has failed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from fixtures.machine_facts import Facts
from fixtures.virtual_address import virtual_address
from proving_ground.ansible.playbook import steps
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Node, Topology

pytestmark = [
    pytest.mark.order(72),
    pytest.mark.role("configure/etcd", "configure/kube-master", "configure/kube-worker", "configure/virtual-address"),
]

every_machine = pytest.mark.hosts("etcd", "kube_master", "kube_worker")
APART = 2.0
"""Seconds by which a clock may differ from another."""
Units = Callable[[Node], set[str]]


@pytest.fixture(scope="module")
def installed_units(pg_settings: Settings, pg_topology: Topology) -> Units:
    """Which units of systemd the playbook's roles install on a machine: they have a template each."""
    root = pg_settings.root / pg_settings.project.roles
    played = steps(pg_settings.root / pg_settings.playbook, pg_topology)

    def units(node: Node) -> set[str]:
        roles = {step.role for step in played if node.name in step.hosts}
        if virtual_address(pg_topology) is None:
            roles.discard("configure/virtual-address")  # its role has a condition
        places = [root / role / "templates" / "etc" / "systemd" / "system" for role in roles]
        return {Path(template.stem).name for place in places for template in place.glob("*.service.j2")}

    return units


@every_machine
def test_machine_has_its_planned_name(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    assert machine_facts[pg_node.name].name == pg_node.name


@every_machine
def test_clock_is_the_controllers(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    least, most = machine_facts[pg_node.name].ahead
    assert least < APART, f"{pg_node.name}: its clock is at least {least:.1f} s ahead of the controller's: set it"
    assert most > -APART, f"{pg_node.name}: its clock is at least {-most:.1f} s behind the controller's: set it"


def test_clocks_of_all_machines_agree(machine_facts: dict[str, Facts]) -> None:
    differing = []
    for one, other in combinations(machine_facts.values(), 2):
        (least, most), (other_least, other_most) = one.ahead, other.ahead
        apart = max(least - other_most, other_least - most)
        if apart > APART:
            differing.append(f"{one.machine} and {other.machine} by at least {apart:.1f} s")
    assert differing == [], "clocks differ: set them"


@every_machine
def test_machine_turns_no_swap_on_when_it_starts(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    found = machine_facts[pg_node.name].swap_at_boot
    assert found == [], f"{pg_node.name}: take this out of /etc/fstab, or remove the unit: pods' limits count no swap"


@every_machine
def test_machine_does_not_swap(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    facts = machine_facts[pg_node.name]
    if facts.is_container:
        pytest.skip("a container has the swap of the host that it runs on")
    assert facts.swaps == [], f"{pg_node.name} swaps: `swapoff --all`"


@every_machine
def test_units_that_roles_install_start_with_the_machine(
    pg_node: Node, machine_facts: dict[str, Facts], installed_units: Units
) -> None:
    wanted, found = installed_units(pg_node), machine_facts[pg_node.name].units
    assert wanted, f"no role installs a unit on {pg_node.name}, or they are not where they were looked for"
    assert wanted <= set(found), f"{pg_node.name} lacks units that its roles install"
    disabled = {unit: state for unit, state in found.items() if state not in {"enabled", "static"}}
    assert disabled == {}, f"{pg_node.name} would start without them: `systemctl enable {' '.join(disabled)}`"


@every_machine
def test_machine_has_no_failed_unit(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    found = machine_facts[pg_node.name].failed_units
    assert found == [], f"{pg_node.name}: look why they failed: `journalctl --unit {' --unit '.join(found)}`"


@every_machine
def test_default_route_leaves_by_the_interface_that_is_not_of_the_machines_network(
    pg_node: Node, machine_facts: dict[str, Facts], pg_settings: Settings
) -> None:
    facts, private = machine_facts[pg_node.name], pg_settings.project.interface
    assert facts.interfaces(str(pg_node.address)) == [private], f"{pg_node.name}: {pg_node.address} is elsewhere"
    ways = [route["dev"] for route in facts.default_routes]
    assert len(ways) == 1, f"{pg_node.name} has not one default route, but {ways}: `ip route show default`"
    assert ways != [private], (
        f"{pg_node.name}: its default route leaves by {private}, in whose network nothing leads on: "
        f"`ip route replace default` by another interface"
    )
