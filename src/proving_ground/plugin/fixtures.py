"""The session's fixtures: machines that are up, converged machines, testinfra hosts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import pytest

from proving_ground.ansible.patterns import Patterns
from proving_ground.ansible.playbook import Step, steps
from proving_ground.ansible.role_playbook import ensure_playbook
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError, HarnessError, UsageError
from proving_ground.core.extras import require
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.configuration import UNKNOWN
from proving_ground.plugin.run import Run, run_of
from proving_ground.plugin.xdist.workers import HELD, once

if TYPE_CHECKING:
    from testinfra.host import Host

    from proving_ground.machines.hosts import Hosts


@pytest.fixture(scope="session")
def pg_settings(pytestconfig: pytest.Config) -> Settings:
    """This run's settings."""
    return run_of(pytestconfig).settings


@pytest.fixture(scope="session")
def pg_timeline(pytestconfig: pytest.Config) -> Timeline:
    """Records the events of this run with their times, for its report."""
    return run_of(pytestconfig).timeline


@pytest.fixture(scope="session")
def pg_lifecycle(pytestconfig: pytest.Config) -> Lifecycle:
    """The phases of the run; at its end the run removes the machines that it made, unless ``--pg-keep`` keeps them."""
    run = run_of(pytestconfig)
    if run.without_machines:
        pytest.skip(f"it needs machines: {run.without_machines}")
    if run.shared is None or not run.is_worker:
        return run.attempt(run.hold)
    assert run.shared.kept(HELD), "only a test that names a fixture of machines among its arguments can have machines"
    run.mark_processes()  # as ``hold`` does on the controller
    run.lifecycle = Lifecycle(run.settings, Progress(write=run.shared.say, timeline=run.timeline))
    return run.lifecycle


@pytest.fixture(scope="session")
def pg_machines(pytestconfig: pytest.Config, pg_lifecycle: Lifecycle) -> Lifecycle:
    """Machines that are up and answer, whether converged or not."""
    run = run_of(pytestconfig)
    pg_lifecycle.needed_roles = run.needed_roles
    run.attempt(lambda: once(run, "machines", pg_lifecycle.create))
    return pg_lifecycle


@pytest.fixture(scope="session")
def pg_timeouts(pytestconfig: pytest.Config, pg_machines: Lifecycle) -> Timeouts:  # noqa: ARG001 - sets the factor
    """Waits with scaled time-outs: ``pg_timeouts.wait_until("the page is there", probe, timeout=10)``."""
    return run_of(pytestconfig).timeouts


@pytest.fixture(scope="session")
def pg_topology(pytestconfig: pytest.Config, pg_machines: Lifecycle) -> Topology:  # noqa: ARG001 - sets the network
    """The topology of the machines that are up: nodes, groups, networks, variables."""
    return run_of(pytestconfig).topology


@pytest.fixture(scope="session")
def pg_prepared(pytestconfig: pytest.Config, pg_machines: Lifecycle) -> ConvergeError | None:
    """Machines on which the playbook that prepares them has run; the error of the task that failed in it, or None."""
    run = run_of(pytestconfig)

    def prepare() -> ConvergeError | None:
        try:
            once(run, "prepare", pg_machines.prepare)
        except ConvergeError as error:
            run.note_failed_task(error)
            return error
        return None

    return run.attempt(prepare) if run.settings.prepare else None


@pytest.fixture(scope="session")
def pg_converged(
    pytestconfig: pytest.Config, pg_machines: Lifecycle, pg_prepared: ConvergeError | None
) -> Converge | None:
    """Converged machines: the playbook's result, or None if the machines were converged before, or if a task failed.

    In a project without a playbook the machines are only up.
    If a task failed, tests of the roles that did converge still run; pytest skips the others (``skip_unconverged``).
    """
    run = run_of(pytestconfig)

    def converge() -> Converge | None:
        if pg_prepared is not None:
            return None
        try:
            return once(run, "converge", pg_machines.ensure_converged)
        except ConvergeError as error:
            run.note_failed_task(error)
            return None

    return run.attempt(converge)


@pytest.fixture(scope="session")
def pg_playbook(pg_machines: Lifecycle, pg_converged: Converge | None) -> Callable[..., Converge]:  # noqa: ARG001
    """Run any playbook of the project on converged machines: ``pg_playbook("upgrade.yml", "--tags=upgrade")``.

    The result has the outcomes by host, role and task, and what they changed (``changed``, ``changes()``). A task that
    fails raises ConvergeError, which is the test's failure in one line. With ``-n``, mark such tests ``disruptive``.
    """
    return pg_machines.play


def await_roles(run: Run, lifecycle: Lifecycle, roles: Collection[str] | None) -> None:
    """On restored machines, wait until the services of these roles are ready; None for all roles.

    A failed wait counts as a failed converge.
    """

    def wait() -> None:
        try:
            once(run, "first of what was restored", lambda: lifecycle.ready(roles))
            if not lifecycle.is_ready(roles):
                once(run, "all that was restored", lifecycle.ready)
        except ConvergeError as error:
            run.note_failed_task(error)

    if run.failed_converge is None and not lifecycle.is_ready(roles):
        run.attempt(wait)


@pytest.fixture(scope="session")
def pg_depot_view(pytestconfig: pytest.Config, pg_machines: Lifecycle) -> View:
    """The depot's view that machines mount: host path, key, images and versions."""
    return once(run_of(pytestconfig), "view", lambda: pg_machines.view)


@pytest.fixture(scope="session")
def pg_hosts(pytestconfig: pytest.Config, pg_machines: Lifecycle, pg_timeouts: Timeouts) -> Hosts:
    """Testinfra's hosts by name: ``pg_hosts["web-01"]``."""
    run_of(pytestconfig).attempt(require_testinfra)
    from proving_ground.ansible.existing_backend import InventoryHosts  # both need an extra
    from proving_ground.machines.hosts import Hosts

    kind = InventoryHosts if pg_machines.settings.is_existing else Hosts
    return kind(pg_machines.settings, pg_machines.topology, pg_timeouts)


@pytest.fixture
def pg_node(host: Host, pg_topology: Topology) -> Node:
    """The topology's entry of ``host``."""
    return pg_topology.node(host.backend.get_hostname())


@pytest.fixture
def host(request: pytest.FixtureRequest, pg_hosts: Hosts) -> Host:
    """The testinfra host of this test: a machine of the groups in ``@pytest.mark.hosts``, or else any machine."""
    if request.node.get_closest_marker("before_converge") is None:
        request.getfixturevalue("pg_converged")
    return pg_hosts[request.param]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``host`` from the topology alone: collection touches no machine."""
    if "host" not in metafunc.fixturenames:
        return
    marker, plan = metafunc.definition.get_closest_marker("hosts"), run_of(metafunc.config).plan
    names = [node.name for node in plan.nodes] if marker is None else matching(plan, marker.args)
    metafunc.parametrize("host", names, ids=names, indirect=True)


def matching(plan: Topology, patterns: Sequence[str]) -> list[str]:
    """Return the names of the machines that Ansible's patterns match: of the first pattern, then of the others.

    Raises:
        UsageError: Ansible does not understand a pattern.
    """
    known = Patterns(plan)
    # Patterns that take hosts away (!web) or keep some (&web) do so for all of them.
    lists = [list(patterns)] if any(each[:1] in {"!", "&"} for each in patterns) else [[each] for each in patterns]
    try:
        names = dict.fromkeys(name for each in lists for name in known.hosts(each))
    except ConvergeError as error:
        raise UsageError(error.what, where=f"marker {error.where}") from error
    machines = {node.name for node in plan.nodes}
    return [name for name in names if name in machines]


def require_testinfra() -> None:
    """Check that the extra is installed without which there is no ``host``; raises PreflightError."""
    require("pytest-testinfra", extra="testinfra", where="host")


def pytest_collection_finish(session: pytest.Session) -> None:
    """End the run before it creates machines if the selected tests need an extra that is not installed."""
    run = run_of(session.config)
    names = {name for item in session.items for name in getattr(item, "fixturenames", [])}
    if "pg_hosts" in names and not run.only_looks and not run.is_worker:  # workers check in pg_hosts
        run.attempt(require_testinfra)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Read the playbook now: ending the run while a file is collected would look like an error of that file."""
    ensure_playbook(run_of(session.config).settings)
    if run_of(session.config).settings.has_playbook:
        playbook_steps(session.config)


def playbook_steps(config: pytest.Config) -> tuple[Step, ...]:
    """Return the steps of this run's playbook; an unreadable one ends the run, or has no steps with ``--help`` etc."""
    run = run_of(config)
    if run.plan is UNKNOWN:  # the run has a warning already; Ansible would warn of every group that does not exist
        return ()
    try:
        return steps(run.settings.root / run.settings.playbook, run.plan, run.settings.playbook_environment)
    except HarnessError as error:
        if not run.only_looks:
            run.fail(error)
        run.warn(error)
        return ()


def has_machines(item: pytest.Item) -> bool:
    """Return whether the test uses machines, and machines are up."""
    names: list[str] = getattr(item, "fixturenames", [])
    record = run_of(item.config).record
    return "pg_machines" in names and record is not None and record.phase != "creating"
