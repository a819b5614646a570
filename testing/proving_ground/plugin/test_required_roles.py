"""With checkpoints, machines are converged as far as the chosen tests need, which they say by their roles."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest

from proving_ground.lifecycle import lifecycle
from proving_ground.lifecycle import machines
from proving_ground.lifecycle import preflight
from proving_ground.host import networks
from proving_ground import depot
from proving_ground.lifecycle import planner
from proving_ground.machines.ledger import Ledger, Record

patch = pytest.MonkeyPatch()


def create(facts):
    record = Record(facts.settings.run_id, facts.settings.topology, facts.settings.provider, phase="created")
    Ledger(facts.settings.state_directory).write(record)
    return []


def converge(facts):
    with open("goal", "a") as file:
        file.write(facts.wanted[-1].name)
    return []


def pytest_configure():
    patch.setattr(preflight, "check", lambda *_: None)
    patch.setattr(networks, "routes", list)
    patch.setattr(planner, "plan_machines", create)
    patch.setattr(planner, "plan_converge", converge)
    patch.setattr(lifecycle.Lifecycle, "destroy", lambda self: self.ledger.clear())


def pytest_unconfigure():
    patch.undo()
"""

TESTS = """
import pytest


@pytest.mark.before_converge
def test_untouched(pg_machines): pass


@pytest.mark.role("store")
def test_store(pg_converged): pass


@pytest.mark.role("store", "network")
def test_network(pg_converged): pass


@pytest.fixture(scope="module")
def cluster(pg_converged): pass


def test_unsaid(cluster): pass


@pytest.mark.lifecycle
def test_converges(pg_converged): pass


def test_pure(): pass
"""


@pytest.mark.parametrize(
    ("chosen", "goal"),
    [
        ("untouched or pure", ""),
        ("untouched or store", "bottom"),
        ("store or network", "middle"),
        ("store or unsaid", "top"),
        ("store or converges", "top"),
    ],
)
def test_machines_become_what_the_chosen_tests_need_and_no_more(
    phased: pytest.Pytester, chosen: str, goal: str
) -> None:
    phased.makeconftest(CONFTEST)
    phased.makepyfile(TESTS)
    options = ("-p", "no:cacheprovider", "-W", "ignore", "--pg-keep=never", "--pg-checkpoints", "-k", chosen)
    result = phased.runpytest_inprocess(*options)
    result.assert_outcomes(passed=2, deselected=4)
    file = phased.path / "goal"
    assert (file.read_text(encoding="utf-8") if file.exists() else "") == goal
