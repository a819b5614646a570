"""Turn the second converge into test results: collection makes one test for each role on each host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.playbook import pairs
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.fixtures import playbook_steps
from proving_ground.plugin.run import Run, run_of
from proving_ground.plugin.xdist.workers import once


@dataclass(frozen=True)
class Repeated:
    """The second converge of a role on a host.

    Attributes:
        host: the host's name.
        role: the role's name.
        outcomes: of the role's tasks, in order.
    """

    host: str
    role: str
    outcomes: tuple[Outcome, ...]

    @property
    def changes(self) -> tuple[Outcome, ...]:
        """The outcomes that changed something."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "changed")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``pg_repeated`` over host and role; collection runs no Ansible and touches no machine."""
    by_host_and_role(metafunc, "pg_repeated")


def by_host_and_role(metafunc: pytest.Metafunc, fixture: str) -> None:
    """Parametrize tests that use ``fixture`` over host and role."""
    if fixture in metafunc.fixturenames:
        found = named(metafunc.config)
        metafunc.parametrize(fixture, found, ids=[f"{host}-{role}" for host, role in found], indirect=True)


def is_of(each: Outcome | ConvergeError, *listed: tuple[str, str]) -> bool:
    """Return whether an outcome is that of one of these pairs of host and role.

    A play with the keyword ``collections`` may call a role of a collection by its last part alone.
    """
    return any(
        each.host == host and (each.role == role or ("." not in role and each.role.endswith(f".{role}")))
        for host, role in listed
    )


def named(config: pytest.Config) -> tuple[tuple[str, str], ...]:
    """Return host and role for every role in the playbook."""
    return pairs(playbook_steps(config))


@pytest.fixture(scope="session")
def pg_second_converge(
    request: pytest.FixtureRequest,
    pg_machines: Lifecycle,
    pg_converge_failure: ConvergeError | None,
) -> Converge | ConvergeError:
    """The playbook's second run, with diffs; or the error of the task that failed only in the second run."""
    if pg_converge_failure is not None:
        pytest.skip(f"the first converge failed: {pg_converge_failure.cause}")

    run = run_of(request.config)
    if not run.settings.converge:
        pytest.skip("hosts of an inventory are converged only on request: --pg-converge")
    return attempted(run, "second-converge", pg_machines.repeat)


def attempted(run: Run, name: str, step: Callable[[], Converge]) -> Converge | ConvergeError:
    """Run a step once in all processes; return its result, or the error of a task that failed.

    Args:
        run: the run.
        name: the step's, unique in the run.
        step: runs the playbook.
    """

    def attempt() -> Converge | ConvergeError:
        try:
            return once(run, name, step)
        except ConvergeError as error:
            if not error.play:
                raise
            return error

    return run.attempt(attempt)


@pytest.fixture
def pg_repeated(request: pytest.FixtureRequest, pg_second_converge: Converge | ConvergeError) -> Repeated:
    """The second converge of one role on one host."""
    return of_role(pg_second_converge, *request.param, what="the second converge")


def of_role(result: Converge | ConvergeError, host: str, role: str, *, what: str) -> Repeated:
    """Return the outcomes of a role on a host; raise its own error, and skip for that of another. ``what`` ran."""
    if isinstance(result, ConvergeError):
        if is_of(result, (host, role)):
            raise result
        pytest.skip(f"{what} failed: {result.cause}")
    return Repeated(host, role, tuple(each for each in result.outcomes if is_of(each, (host, role))))


@pytest.fixture
def pg_unlisted_changes(
    pytestconfig: pytest.Config, pg_second_converge: Converge | ConvergeError
) -> tuple[Outcome, ...]:
    """Changes of the second converge outside the playbook's roles: in tasks of plays, in dependencies of roles."""
    return outside_roles(pg_second_converge, named(pytestconfig), what="the second converge")


def outside_roles(
    result: Converge | ConvergeError, listed: tuple[tuple[str, str], ...], *, what: str
) -> tuple[Outcome, ...]:
    """Return the changes outside of these pairs of host and role; errors as in :func:`of_role`."""
    if isinstance(result, ConvergeError):
        if not is_of(result, *listed):
            raise result
        pytest.skip(f"{what} failed: {result.cause}")
    return tuple(each for each in result.changed if not is_of(each, *listed))
