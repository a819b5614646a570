"""Machines get the topology's own network, or a free one where that is in use; never that of somebody else."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from proving_ground.core.errors import PreflightError
from proving_ground.core.topology import load
from proving_ground.host import networks
from proving_ground.host.networks import reserved

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
TOPOLOGY = load(ROOT / "topology", "default")
VPN = ("vpn0", IPv4Network("10.0.0.0/16"))


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, IPv4Network]]:
    """The routes of a host; a test adds some."""
    found = [("lo", IPv4Network("127.0.0.0/8"))]
    monkeypatch.setattr(networks, "routes", lambda: found)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return found


def test_the_topologys_own_network_is_taken_where_it_is_free() -> None:
    with reserved(TOPOLOGY, asked=None) as prefix:
        assert prefix is None


def test_where_it_is_in_use_the_next_free_one_is_taken(present: list[tuple[str, IPv4Network]]) -> None:
    present += [VPN, ("br0", IPv4Network("10.7.0.0/24"))]
    with reserved(TOPOLOGY, asked=None) as prefix:
        assert prefix == "10.8.0"


def test_machines_that_come_back_get_the_network_that_they_had(present: list[tuple[str, IPv4Network]]) -> None:
    with reserved(TOPOLOGY, asked=None, earlier="10.9.0") as prefix:
        assert prefix == "10.9.0", "the topology's own is free now, but checkpoints are of the other"
    present.append(("br0", IPv4Network("10.9.0.0/24")))
    with reserved(TOPOLOGY, asked=None, earlier="10.9.0") as prefix:
        assert prefix is None


@pytest.mark.parametrize("earlier", [None, "10.9.0"])
def test_a_runs_own_machines_come_back_to_their_network_or_not_at_all(
    earlier: str | None, present: list[tuple[str, IPv4Network]]
) -> None:
    """The run's tests know the addresses: with others, each of them would fail by itself."""
    with reserved(TOPOLOGY, asked=None, earlier=earlier, again=True) as prefix:
        assert prefix == earlier
    present.append(("br0", IPv4Network("10.9.0.0/24" if earlier else "10.0.0.0/24")))
    refusal = r"is in use \(.* on br0\) — .*run it again"
    with (
        pytest.raises(PreflightError, match=refusal),
        reserved(TOPOLOGY, asked=None, earlier=earlier, again=True),
    ):
        pass


def test_a_runs_own_machines_that_come_back_wait_for_another_run_that_looks_at_their_network() -> None:
    with ExitStack() as other:
        other.enter_context(reserved(TOPOLOGY, asked=None))
        threading.Timer(0.3, other.close).start()
        began = time.monotonic()
        with reserved(TOPOLOGY, asked=None, again=True) as prefix:
            assert prefix is None
        assert time.monotonic() - began >= 0.2


def test_one_that_was_asked_for_is_taken_or_refused(present: list[tuple[str, IPv4Network]]) -> None:
    present.append(VPN)
    asked = load(ROOT / "topology", "default", "10.9.0")
    with reserved(asked, asked="10.9.0") as prefix:
        assert prefix == "10.9.0"
    asked = load(ROOT / "topology", "default", "10.0.3")
    refusal = r"10\.0\.3\.0/24 is in use.*10\.0\.0\.0/16 on vpn0.*--pg-network-prefix"
    with pytest.raises(PreflightError, match=refusal), reserved(asked, asked="10.0.3"):
        pass


def test_runs_that_begin_at_the_same_time_get_different_ones() -> None:
    with reserved(TOPOLOGY, asked=None) as first, reserved(TOPOLOGY, asked=None) as second:
        assert (first, second) == (None, "10.7.0")
        asked = load(ROOT / "topology", "default", "10.7.0")
        refusal = r"another run is just taking network 10\.7\.0\.0/24"
        with pytest.raises(PreflightError, match=refusal), reserved(asked, asked="10.7.0"):
            pass
    with reserved(TOPOLOGY, asked=None) as again:
        assert again is None


def test_the_pods_network_is_not_taken_for_machines(
    present: list[tuple[str, IPv4Network]], monkeypatch: pytest.MonkeyPatch
) -> None:
    present.append(VPN)
    monkeypatch.setattr(networks, "OTHERS", ("10.2.7", "10.3.0", "10.11.0"))
    with reserved(TOPOLOGY, asked=None) as prefix:
        assert prefix == "10.11.0"


def test_a_host_on_which_all_are_in_use_is_told_which_is(present: list[tuple[str, IPv4Network]]) -> None:
    present.append(("vpn0", IPv4Network("10.0.0.0/8")))
    refusal = r"10\.0\.0\.0/24 is in use \(10\.0\.0\.0/8 on vpn0\)"
    with pytest.raises(PreflightError, match=refusal), reserved(TOPOLOGY, asked=None):
        pass


CONFTEST = """
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from proving_ground import depot
from proving_ground.lifecycle import lifecycle
from proving_ground.lifecycle import machines
from proving_ground.host import networks
from proving_ground.lifecycle import preflight
from proving_ground.machines.ledger import Ledger, Record

patch = pytest.MonkeyPatch()


def create(settings, topology, network_prefix, *_, **__):
    with open("created", "a") as file:
        file.write(f"{topology.networks['machines']}\\n")
    record = Record(settings.run_id, settings.topology, settings.provider, network_prefix, phase="created")
    return Ledger(settings.state_directory).write(record)


def pytest_configure():
    patch.setattr(preflight, "check", lambda *_: None)
    patch.setattr(preflight, "check_reachable", lambda *_: None)
    patch.setattr(networks, "routes", lambda: [("vpn0", IPv4Network("10.0.0.0/16"))])
    patch.setattr(depot, "ensure", lambda *_, **__: type("View", (), {"key": "k", "path": Path("v"), "images": {}})())
    patch.setattr(machines, "create", create)


def pytest_unconfigure():
    patch.undo()
"""

TESTS = """
def test_addresses(pg_topology, pg_machines):
    assert str(pg_topology.node("etcd-01").address) == "10.7.0.101"
    assert pg_machines.topology is pg_topology or pg_machines.topology == pg_topology
    assert pg_machines.settings.network_prefix is None, "nobody asked for one"
    assert "10.7.0.101" in pg_machines.write_inventory().read_text()
"""


def test_tests_ways_in_and_the_next_run_go_by_the_network_that_was_taken(planned: pytest.Pytester) -> None:
    planned.makeconftest(CONFTEST)
    planned.makepyfile(TESTS)
    options = ("-p", "no:cacheprovider", "-W", "ignore", "--pg-keep", "always")
    result = planned.runpytest_inprocess(*options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*network 10.0.0.0/24 is in use (10.0.0.0/16 on vpn0): machines get 10.7.0.0/24",
            "*ssh -F .proving-ground/ssh.config etcd-01 * 10.7.0.101",
        ]
    )
    planned.runpytest_inprocess(*options, "--pg-reuse").assert_outcomes(passed=1)
    planned.runpytest_inprocess(*options).assert_outcomes(passed=1)
    assert (planned.path / "created").read_text(encoding="utf-8").split() == ["10.7.0.0/24"]
