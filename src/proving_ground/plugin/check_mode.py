"""Turn a converge in check mode into test results: collection makes one test for each role on each host."""

from __future__ import annotations

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.fixtures import await_roles
from proving_ground.plugin.idempotence import Repeated, attempted, by_host_and_role, named, of_role, outside_roles
from proving_ground.plugin.run import run_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``pg_checked`` over host and role; collection runs no Ansible and touches no machine."""
    by_host_and_role(metafunc, "pg_checked")


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
    return attempted(run, "check-mode", pg_machines.check)


@pytest.fixture
def pg_checked(request: pytest.FixtureRequest, pg_check_mode: Converge | ConvergeError) -> Repeated:
    """The run in check mode of one role on one host."""
    return of_role(pg_check_mode, *request.param, what="the run in check mode")


@pytest.fixture
def pg_checked_outside_roles(
    pytestconfig: pytest.Config, pg_check_mode: Converge | ConvergeError
) -> tuple[Outcome, ...]:
    """Changes that check mode reports outside of the playbook's roles."""
    return outside_roles(pg_check_mode, named(pytestconfig), what="the run in check mode")
