"""Turn the second converge into test results: collection makes one test for each role on each host."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.playbook import pairs
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.fixtures import playbook_steps
from proving_ground.plugin.run import run_of
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
    if "pg_repeated" not in metafunc.fixturenames:
        return
    found = named(metafunc.config)
    metafunc.parametrize("pg_repeated", found, ids=[f"{host}-{role}" for host, role in found], indirect=True)


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

    def converge() -> Converge | ConvergeError:
        try:
            return once(run, "second-converge", pg_machines.repeat)
        except ConvergeError as error:
            if not error.play:
                raise
            return error

    return run.attempt(converge)


@pytest.fixture
def pg_repeated(request: pytest.FixtureRequest, pg_second_converge: Converge | ConvergeError) -> Repeated:
    """The second converge of one role on one host."""
    host, role = request.param
    if isinstance(pg_second_converge, ConvergeError):
        if is_of(pg_second_converge, (host, role)):
            raise pg_second_converge
        pytest.skip(f"the second converge failed: {pg_second_converge.cause}")
    found = tuple(each for each in pg_second_converge.outcomes if is_of(each, (host, role)))
    return Repeated(host, role, found)


@pytest.fixture
def pg_unlisted_changes(
    pytestconfig: pytest.Config, pg_second_converge: Converge | ConvergeError
) -> tuple[Outcome, ...]:
    """Changes of the second converge outside the playbook's roles: in tasks of plays, in dependencies of roles."""
    listed = named(pytestconfig)
    if isinstance(pg_second_converge, ConvergeError):
        if not is_of(pg_second_converge, *listed):
            raise pg_second_converge
        pytest.skip(f"the second converge failed: {pg_second_converge.cause}")
    return tuple(each for each in pg_second_converge.changed if not is_of(each, *listed))
