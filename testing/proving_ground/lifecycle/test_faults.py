"""A fault in any phase ends the run with that phase's exit code, says so once, and leaves what ``--pg-keep`` says."""

from __future__ import annotations

import pytest

from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]

CONFTEST = """
from pathlib import Path

import pytest

from proving_ground import depot
from proving_ground.core import errors
from proving_ground.lifecycle import executor
from proving_ground.lifecycle import machines
from proving_ground.host import networks
from proving_ground.lifecycle import preflight
from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.machines.ledger import Ledger, Record

FAULTS = {{
    "interrupted": KeyboardInterrupt(),
    "terminated": "SIGTERM",
    "host": errors.PreflightError("no docker", where="docker"),
    "depot": errors.DepotError("no space", where="etcd"),
    "machines": errors.MachineError("no ssh", where="etcd-01"),
    "unreachable": errors.ConvergeError("is unreachable", where="etcd-01: store : Start", play="First", role="store"),
    "playbook": errors.ConvergeError("no YAML", where="site.yml"),
    "bug": ZeroDivisionError("ours"),
}}
PHASE, FAULT = {phase!r}, {fault!r}


def did(what):
    with open("did", "a") as file:
        file.write(f"{{what}}\\n")


def step(name):
    did(name)
    if name == PHASE:
        fault = FAULTS[FAULT]
        if fault == "SIGTERM":
            import os, signal
            os.kill(os.getpid(), signal.SIGTERM)
            return
        raise fault


def view(*_, **__):
    step("depot")
    return type("View", (), {{"key": "k", "path": Path("depot/view"), "images": {{}}}})()


def create(settings, *_, **__):
    ledger = Ledger(settings.state_directory)
    ledger.write(Record(settings.run_id, settings.topology, settings.provider))  # before anything is made
    step("create")
    return ledger.update(phase="created")


def pytest_proving_ground_end():
    if PHASE == "end":
        step("end")


def destroy(settings, *_):
    if PHASE == "destroy" and "destroy" not in Path("did").read_text():
        step("destroy")
    did("destroy")
    Ledger(settings.state_directory).clear()
    return True


def play(*_, **__):
    step("converge")
    return Converge((Outcome("etcd-01", "store", "Install", "site.yml:1", "ok", 0.1),), Path("ansible.log"))


patch = pytest.MonkeyPatch()


def pytest_configure():
    patch.setattr(preflight, "check", lambda *_: step("preflight"))
    patch.setattr(preflight, "check_reachable", lambda *_: None)  # of machines that were never made
    patch.setattr(networks, "routes", list)
    patch.setattr(depot, "ensure", view)
    patch.setattr(machines, "create", create)
    patch.setattr(machines, "destroy", destroy)
    patch.setattr(executor, "run_playbook", play)


def pytest_unconfigure():
    patch.undo()
"""

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
"""

TESTS = """
import pytest


@pytest.mark.role("store")
def test_store(pg_converged): pass


def test_again(pg_converged): pass
"""


def run(planned: pytest.Pytester, phase: str, fault: str, *arguments: str) -> tuple[pytest.RunResult, list[str]]:
    """The result of a run in which ``fault`` comes in ``phase``, and the phases that it went through."""
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makeconftest(CONFTEST.format(phase=phase, fault=fault))
    planned.makepyfile(TESTS)
    options = ("-p", "no:cacheprovider", "-W", "ignore", "--pg-keep", "never", *arguments)
    result = planned.runpytest_inprocess(*options, no_reraise_ctrlc=True)
    return result, (planned.path / "did").read_text(encoding="utf-8").split()


ALL = ["preflight", "depot", "create", "converge", "destroy"]


def until(phase: str) -> list[str]:
    """What a run goes through that ends in ``phase``: nothing is removed where nothing can have been made."""
    return [*ALL[: ALL.index(phase) + 1], *(["destroy"] if phase not in {"preflight", "depot"} else [])]


def test_without_a_fault_every_phase_comes_once_and_nothing_is_left(planned: pytest.Pytester) -> None:
    result, did = run(planned, "none", "bug")
    assert result.ret == 0
    assert did == ALL
    assert not (planned.path / ".proving-ground" / "ledger.json").exists()


def test_what_a_killed_run_left_is_removed_by_the_next_before_it_makes_its_own(planned: pytest.Pytester) -> None:
    Ledger(planned.path / ".proving-ground").write(Record("killed", "default", "docker"))
    result, did = run(planned, "none", "bug")
    assert result.ret == 0
    assert did == ["destroy", *ALL]


@pytest.mark.parametrize(
    ("phase", "fault", "code", "words"),
    [
        ("preflight", "host", 12, "docker: no docker"),
        ("depot", "depot", 13, "etcd: no space"),
        ("create", "machines", 14, "etcd-01: no ssh"),
        ("converge", "playbook", 15, "site.yml: no YAML"),
        ("converge", "unreachable", 15, "etcd-01: store : Start: is unreachable"),
    ],
)
def test_a_fault_has_its_exit_code_and_one_line(
    planned: pytest.Pytester, phase: str, fault: str, code: int, words: str
) -> None:
    result, did = run(planned, phase, fault)
    assert result.ret == code
    assert did == until(phase), "every phase once, and no later one"
    result.stdout.fnmatch_lines([f"*{words}*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert not (planned.path / ".proving-ground" / "ledger.json").exists()


@pytest.mark.parametrize("phase", ["preflight", "depot", "create", "converge"])
@pytest.mark.parametrize("fault", ["interrupted", "terminated"])
def test_an_interruption_at_any_moment_removes_what_is_there(planned: pytest.Pytester, phase: str, fault: str) -> None:
    result, did = run(planned, phase, fault)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert did == until(phase)
    assert not (planned.path / ".proving-ground" / "ledger.json").exists()


@pytest.mark.parametrize(("phase", "last"), [("end", ["end", "destroy"]), ("destroy", ["destroy", "destroy"])])
@pytest.mark.parametrize("fault", ["interrupted", "terminated"])
def test_an_interruption_when_tests_are_over_removes_what_is_there(
    planned: pytest.Pytester, phase: str, last: list[str], fault: str
) -> None:
    result, did = run(planned, phase, fault)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert did == [*ALL[:-1], *last]
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.fnmatch_lines(["*interrupted*"])
    assert not (planned.path / ".proving-ground" / "ledger.json").exists()


@pytest.mark.parametrize("phase", ["create", "converge"])
def test_a_bug_of_ours_shows_its_traceback_and_removes_what_is_there(planned: pytest.Pytester, phase: str) -> None:
    result, did = run(planned, phase, "bug")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert did[-1] == "destroy"
    result.stdout.fnmatch_lines(["*ZeroDivisionError: ours*"])


def test_machines_are_kept_after_a_fault_when_that_is_asked_for(planned: pytest.Pytester) -> None:
    result, did = run(planned, "converge", "unreachable", "--pg-keep", "failed")
    assert result.ret == 15
    assert "destroy" not in did
    assert (planned.path / ".proving-ground" / "ledger.json").exists()
