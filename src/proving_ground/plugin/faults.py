"""The fixture ``pg_fault``, and with ``-m fault`` a test for each fault of the project: do its tests notice it?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from proving_ground.core.errors import MachineError, UsageError
from proving_ground.core.problems import shown
from proving_ground.faults.catalogue import CONTROLLER, Fault, catalogue, fault_named
from proving_ground.faults.injection import Injection
from proving_ground.faults.verdict import never_red
from proving_ground.plugin.debug_hints import FAULTS
from proving_ground.plugin.fault_runs import FaultRuns
from proving_ground.plugin.fixtures import matching
from proving_ground.plugin.options import asks_for
from proving_ground.plugin.run import Run, run_of

if TYPE_CHECKING:
    from proving_ground.machines.hosts import Hosts

TESTS = Path(__file__).with_name("fault_tests.py")
SCRIPT_SECONDS = 120.0
"""Seconds of a fault's script on the controller."""

RUNS = pytest.StashKey[FaultRuns]()

NAME = "pg_fault_name"
"""The parameter of the tests of faults."""


class PutIn(Protocol):
    """Puts a fault in for the length of a block."""

    def __call__(self, name: str, host: str | None = None) -> AbstractContextManager[str]:
        """Return a context manager that puts the fault ``name`` in on ``host``, or where the fault's file says."""


@pytest.fixture(scope="session")
def pg_fault_injection(pytestconfig: pytest.Config, pg_hosts: Hosts) -> Injection:
    """Puts faults in on machines and on the controller, and takes them out."""
    run = run_of(pytestconfig)

    def shell(where: str, script: str) -> None:
        if where == CONTROLLER:
            code, output = beside_pytest(run, script)
        else:
            result = pg_hosts[where].run("sh -ec %s", script)
            code, output = result.rc, result.stderr or result.stdout
        if code != 0:
            what = f"the script ended with {code}: {' '.join(output.split())[-300:]}"
            raise MachineError(what, where=where, hint=f"it was: {' '.join(script.split())}")

    return Injection(run.settings.state_directory, shell)


def roles_of_faults(items: Iterable[pytest.Item], run: Run) -> list[str]:
    """Return the roles that the faults among the run's tests concern, sorted."""
    calls = [item.callspec.params for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    names = {str(parameters[NAME]) for parameters in calls if NAME in parameters}
    return sorted({role for name in names for role in fault_named(name, run.settings.faults).roles})


def beside_pytest(run: Run, script: str) -> tuple[int, str]:
    """Run a script on the controller; return its exit code and what it said. One that hangs is ended."""
    seconds = run.timeouts.seconds(SCRIPT_SECONDS)
    try:
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=run.settings.root,
            env=environment(run),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"the script did not end within {seconds:.0f} s", where=CONTROLLER, hint=script) from error
    return done.returncode, done.stderr or done.stdout


def environment(run: Run) -> dict[str, str]:
    """Return the variables of a script on the controller: the project's, and the depot's programs on the path."""
    state, record = run.settings.state_directory, run.record
    view = record.view if record is not None and record.view else ""
    own = {name: text.format(state=state, view=view) for name, text in run.settings.project.environment}
    path = f"{view}/bin{os.pathsep}{os.environ['PATH']}" if view else os.environ["PATH"]
    return {**os.environ, **own, "PATH": path}


@pytest.fixture
def pg_fault(pytestconfig: pytest.Config, pg_fault_injection: Injection, pg_converged: object) -> PutIn:  # noqa: ARG001
    """Puts a fault of the project in, for the length of a block.

    As in ``with pg_fault("nginx-stopped", host="web-02"): ...``; at the end of the block it is taken out, whatever
    happens there. Mark such tests ``disruptive``.
    """
    run = run_of(pytestconfig)

    @contextmanager
    def put_in(name: str, host: str | None = None) -> Iterator[str]:
        fault = fault_named(name, run.settings.faults)
        where = host or machine_of(fault, run)
        with pg_fault_injection.inside(fault, where):
            yield where

    return put_in


@pytest.fixture(scope="session")
def pg_fault_runs(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    pg_fault_injection: Injection,
    pg_converged: object,  # noqa: ARG001 - comes first
) -> FaultRuns:
    """Runs the project's tests while a fault is in."""
    run = run_of(pytestconfig)
    named = pytestconfig.args if pytestconfig.args_source is pytestconfig.ArgsSource.ARGS else []
    runs = FaultRuns(
        run.settings,
        named,
        roles_of_faults(request.session.items, run),
        pg_fault_injection,
        lambda fault: machine_of(fault, run),
        run.timeouts,
        run.say,
    )
    pytestconfig.stash[RUNS] = runs
    return runs


def machine_of(fault: Fault, run: Run) -> str:
    """Return the name of the machine that gets the fault, or ``controller``; raises UsageError if there is none."""
    if fault.machine == CONTROLLER:
        return CONTROLLER
    names = matching(run.topology, [fault.machine])
    if not names:
        where = shown(run.settings.faults / f"{fault.name}.yml")
        raise UsageError(f"no machine of this topology matches {fault.machine!r}", where=where)
    return names[0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each fault."""
    if NAME in metafunc.fixturenames:
        metafunc.parametrize(NAME, catalogue(run_of(metafunc.config).settings.faults))


@pytest.hookimpl(tryfirst=True)  # -k selects among them as among all tests
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests of faults if the expression of ``-m`` asks for them: they break the machines that others test."""
    if asks_for(config, "fault"):
        items += session.genitems(pytest.Module.from_parent(session, path=TESTS, nodeid=FAULTS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of faults, and the tests that none of them turned red."""
    runs = config.stash.get(RUNS, None)
    if runs is None or not runs.results:
        return
    terminalreporter.section("faults")
    for name, each in runs.results.items():
        mark = "✗" if each.problems else " "
        terminalreporter.write_line(f"{mark} {name}", red=bool(each.problems))
        terminalreporter.write_line(f"      {each}")
    if unseen := never_red(runs.results.values()):
        terminalreporter.write_line(f"\n{len(unseen)} tests passed under faults, and no fault turned them red:")
        for nodeid in unseen:
            terminalreporter.write_line(f"  {nodeid}")
