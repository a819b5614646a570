"""On machines that come back as they were saved, a test waits for what it needs, and not for the rest."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest

from proving_ground.lifecycle import lifecycle
from proving_ground.host import networks
from proving_ground.lifecycle import preflight
from proving_ground.lifecycle import executor, planner, state
from proving_ground.core.errors import ConvergeError
from proving_ground.machines.ledger import Ledger, Record

FAILS = {fails!r}
patch = pytest.MonkeyPatch()


def create(facts):
    settings = facts.settings
    record = Record(settings.run_id, settings.topology, settings.provider, phase="created",
                    reached="top", restored_at="2026-01-01T00:00:00Z")
    Ledger(settings.state_directory).write(record)
    return []


def did(what):
    with open("did", "a") as file:
        file.write(f"{{what}}\\n")


def play(settings, inventory, progress, *arguments, plays, timeouts):
    did(f"plays {{plays[0]}}-{{plays[1]}}")
    if plays[0] <= FAILS < plays[1]:
        raise ConvergeError("does not answer", where="kube-worker-01: network : Wait", play="Second", role="network")


@pytest.fixture(autouse=True)
def noted(request):
    yield
    did(request.node.name)


def pytest_configure():
    patch.setattr(preflight, "check", lambda *_: None)
    patch.setattr(networks, "routes", list)
    patch.setattr(planner, "plan_machines", create)
    patch.setattr(planner, "plan_converge", lambda facts: [])
    patch.setattr(state.State, "write_inventory", lambda state: None)
    patch.setattr(executor, "run_playbook", play)
    patch.setattr(lifecycle.Lifecycle, "destroy", lambda self: self.ledger.clear())


def pytest_unconfigure():
    patch.undo()
"""

TESTS = """
import pytest


def test_machines(pg_machines): pass


@pytest.mark.role("store")
@pytest.mark.parametrize("part", [1, 2])
def test_store(pg_converged, part): pass


@pytest.mark.role("network")
def test_network(pg_converged): pass


@pytest.mark.role("sample")
def test_sample(pg_converged): pass


def test_unsaid(pg_converged): pass
"""
STORE = ["test_machines", "plays 0-1", "test_store[1]", "test_store[2]", "plays 1-3"]


def run(phased: pytest.Pytester, fails: int) -> tuple[pytest.RunResult, list[str]]:
    """What a run did in which the plays from number ``fails`` on do not get ready."""
    phased.makeconftest(CONFTEST.format(fails=fails))
    phased.makepyfile(TESTS)
    options = ("-p", "no:cacheprovider", "-W", "ignore", "--pg-keep=never", "--pg-checkpoints", "-rs")
    result = phased.runpytest_inprocess(*options)
    return result, (phased.path / "did").read_text(encoding="utf-8").splitlines()


def test_first_tests_begin_while_the_rest_is_starting(phased: pytest.Pytester) -> None:
    result, did = run(phased, fails=-1)
    assert did == [*STORE, "test_network", "test_sample", "test_unsaid"]
    result.assert_outcomes(passed=6)


def test_what_does_not_get_ready_is_one_failure_and_what_does_is_tested(phased: pytest.Pytester) -> None:
    result, did = run(phased, fails=1)
    assert did[: len(STORE)] == STORE
    assert [each for each in did if each.startswith("plays")] == ["plays 0-1", "plays 1-3"]
    result.assert_outcomes(passed=3, skipped=3)
    assert result.ret == 15
    cause = "kube-worker-01: network : Wait: does not answer"
    result.stdout.fnmatch_lines(["*= converge failed =*", f"{cause}*", f"SKIPPED*network did not converge: {cause}"])
