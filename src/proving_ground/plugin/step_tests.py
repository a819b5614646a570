"""The steps of a run as tests, which the plugin adds to those of a project: syntax, converge, idempotence."""

from __future__ import annotations

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.idempotence import Repeated
from proving_ground.plugin.run import run_of
from proving_ground.plugin.session import is_removed
from proving_ground.plugin.verification import Verified

pytestmark = [pytest.mark.lifecycle]


@pytest.mark.syntax
def test_syntax(pg_lifecycle: Lifecycle, pytestconfig: pytest.Config) -> None:
    """Ansible can parse the playbook and its roles; if it cannot, the run ends before it creates machines."""
    run_of(pytestconfig).attempt(pg_lifecycle.syntax)


@pytest.mark.prepare
def test_prepare(pg_prepared: ConvergeError | None) -> None:
    """The playbook that prepares new machines runs without a failed task."""
    if pg_prepared is not None:
        raise pg_prepared


@pytest.mark.converge
def test_converge(
    pg_prepared: ConvergeError | None, pg_converged: Converge | None, pg_converge_failure: ConvergeError | None
) -> None:
    """The playbook runs without a failed task."""
    if pg_prepared is not None:
        pytest.skip(f"the machines are not prepared: {pg_prepared.cause}")
    assert pg_converge_failure is None, str(pg_converge_failure)
    failed = [str(outcome) for outcome in (pg_converged.outcomes if pg_converged else ()) if outcome.status == "failed"]
    assert failed == []


@pytest.mark.check_mode
def test_check_mode(pg_checked: Repeated, request: pytest.FixtureRequest) -> None:
    """On converged machines, check mode reports no change: one test for each role on each host."""
    assert pg_checked.outcomes, f"{pg_checked.role} ran no task on {pg_checked.host}"
    report(pg_checked.changes, request)


@pytest.mark.check_mode
def test_check_mode_outside_roles(
    pg_checked_outside_roles: tuple[Outcome, ...], request: pytest.FixtureRequest
) -> None:
    """On converged machines, check mode reports no change in tasks that are not of the playbook's roles."""
    report(pg_checked_outside_roles, request)


@pytest.mark.idempotence
def test_idempotence(pg_repeated: Repeated, request: pytest.FixtureRequest) -> None:
    """A second converge changes nothing: one test for each role on each host, one failure for each task that does."""
    assert pg_repeated.outcomes, f"{pg_repeated.role} ran no task on {pg_repeated.host}"
    report(pg_repeated.changes, request)


@pytest.mark.idempotence
def test_idempotence_outside_roles(pg_unlisted_changes: tuple[Outcome, ...], request: pytest.FixtureRequest) -> None:
    """A second converge changes nothing in tasks that are not of the playbook's roles."""
    report(pg_unlisted_changes, request)


@pytest.mark.verify
def test_verify(pg_verified: Verified) -> None:
    """No task of ``verify.yml`` fails: one test for each play on each host."""
    if pg_verified.error is not None:
        raise pg_verified.error
    if pg_verified.reason:
        pytest.skip(pg_verified.reason)


@pytest.mark.cleanup
def test_cleanup(pg_machines: Lifecycle, pytestconfig: pytest.Config) -> None:
    """The playbook that runs before the removal of the machines has no failed task; else they are removed as well."""
    run = run_of(pytestconfig)
    if run.shared is not None:
        pytest.skip("with -n it runs when all workers have ended")
    if not is_removed(run, pg_machines):
        pytest.skip("the machines stay; `proving-ground destroy` runs it")
    pg_machines.clean_up()


def report(changes: tuple[Outcome, ...], request: pytest.FixtureRequest) -> None:
    """Fail once for each change, with its difference; where pytest has no subtests (before 9), once with them all."""
    if not changes:
        return
    if pytest.version_tuple < (9,) or not request.config.pluginmanager.has_plugin("subtests"):
        pytest.fail("\n\n".join(outcome.change() for outcome in changes), pytrace=False)
    subtests = request.getfixturevalue("subtests")
    for outcome in changes:
        with subtests.test(host=outcome.host, role=outcome.role, task=outcome.task):
            pytest.fail(outcome.change(), pytrace=False)
