"""Turn a converge in check mode into test results: collection makes one test for each role on each host."""

from __future__ import annotations

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.fixtures import await_roles
from proving_ground.plugin.idempotence import Repeated, is_of, named
from proving_ground.plugin.run import run_of
from proving_ground.plugin.xdist.workers import once


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``pg_checked`` over host and role; collection runs no Ansible and touches no machine."""
    if "pg_checked" in metafunc.fixturenames:
        found = named(metafunc.config)
        metafunc.parametrize("pg_checked", found, ids=[f"{host}-{role}" for host, role in found], indirect=True)


@pytest.fixture(scope="session")
def pg_check_mode(
    pytestconfig: pytest.Config,
    pg_machines: Lifecycle,
    pg_converged: Converge | None,  # noqa: ARG001 - comes first
    pg_converge_failure: ConvergeError | None,
) -> Converge | ConvergeError:
    """The playbook's run in check mode on converged machines, with diffs; or the error of the task that failed."""
    if pg_converge_failure is not None:
        pytest.skip(f"the converge failed: {pg_converge_failure.cause}")
    run = run_of(pytestconfig)
    if not run.settings.converge:
        pytest.skip("hosts of an inventory are converged only on request: --pg-converge")
    await_roles(run, pg_machines, None)

    def check() -> Converge | ConvergeError:
        try:
            return once(run, "check-mode", pg_machines.check)
        except ConvergeError as error:
            if not error.play:
                raise
            return error

    return run.attempt(check)


@pytest.fixture
def pg_checked(request: pytest.FixtureRequest, pg_check_mode: Converge | ConvergeError) -> Repeated:
    """The run in check mode of one role on one host."""
    host, role = request.param
    if isinstance(pg_check_mode, ConvergeError):
        if is_of(pg_check_mode, (host, role)):
            raise pg_check_mode
        pytest.skip(f"the run in check mode failed: {pg_check_mode.cause}")
    return Repeated(host, role, tuple(each for each in pg_check_mode.outcomes if is_of(each, (host, role))))


@pytest.fixture
def pg_checked_outside_roles(
    pytestconfig: pytest.Config, pg_check_mode: Converge | ConvergeError
) -> tuple[Outcome, ...]:
    """Changes that check mode reports outside of the playbook's roles."""
    listed = named(pytestconfig)
    if isinstance(pg_check_mode, ConvergeError):
        if not is_of(pg_check_mode, *listed):
            raise pg_check_mode
        pytest.skip(f"the run in check mode failed: {pg_check_mode.cause}")
    return tuple(each for each in pg_check_mode.changed if not is_of(each, *listed))
