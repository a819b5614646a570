"""Turn the playbook that verifies machines into test results: collection makes a test for each play on each host."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.playbook import plays_on_hosts
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError, HarnessError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.configuration import UNKNOWN
from proving_ground.plugin.fixtures import await_roles
from proving_ground.plugin.run import run_of
from proving_ground.plugin.xdist.workers import once


@dataclass(frozen=True)
class Verified:
    """One play of the run of ``verify.yml`` on one host.

    Attributes:
        play: the play's name.
        host: the host's name; empty for a play whose hosts only the run knows.
        outcomes: of the play's tasks on this host, in order.
        error: the failed task; None if none failed.
        reason: why no task ran; empty if any did.
    """

    play: str
    host: str
    outcomes: tuple[Outcome, ...] = ()
    error: ConvergeError | None = None
    reason: str = ""


def listed(config: pytest.Config) -> tuple[tuple[str, str], ...]:
    """Return play and host for every test of ``verify.yml``; a file that cannot be read ends the run."""
    run = run_of(config)
    if run.plan is UNKNOWN or not run.settings.verify:
        return ()
    try:
        return plays_on_hosts(run.settings.root / run.settings.verify, run.plan)
    except HarnessError as error:
        if not run.only_looks:
            run.fail(error)
        run.warn(error)
        return ()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Read the playbook now: ending the run while a file is collected would look like an error of that file."""
    listed(session.config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``pg_verified`` over play and host; collection runs no Ansible and touches no machine."""
    if "pg_verified" in metafunc.fixturenames:
        found = listed(metafunc.config)
        ids = [f"{play}-{host}" if host else play for play, host in found]
        metafunc.parametrize("pg_verified", found, ids=ids, indirect=True)


@pytest.fixture(scope="session")
def pg_verification(
    pytestconfig: pytest.Config,
    pg_machines: Lifecycle,
    pg_converged: Converge | None,  # noqa: ARG001 - comes first
    pg_converge_failure: ConvergeError | None,
) -> Converge:
    """The run of ``verify.yml``, once, on converged machines; with its error if a task failed."""
    if pg_converge_failure is not None:
        pytest.skip(f"the converge failed: {pg_converge_failure.cause}")
    run = run_of(pytestconfig)
    await_roles(run, pg_machines, None)
    return run.attempt(lambda: once(run, "verify", pg_machines.verify))


@pytest.fixture
def pg_verified(request: pytest.FixtureRequest, pg_verification: Converge) -> Verified:
    """One play of ``verify.yml`` on one host."""
    play, host = request.param
    return judged(pg_verification, play, host, listed(request.config))


def judged(result: Converge, play: str, host: str, known: tuple[tuple[str, str], ...]) -> Verified:
    """Return what one play came to on one host. Pure.

    A failure that no test stands for (a play named by a template) is that of all tests of its host, or else of all.

    Args:
        result: the run of all plays.
        play: the play's name.
        host: the host's name; empty for all.
        known: play and host of every test.
    """
    mine = tuple(each for each in result.outcomes if each.play == play and host in {each.host, ""})
    failed = [each for each in result.outcomes if each.status in {"failed", "unreachable"}]
    if result.error is not None and not failed:
        return Verified(play, host, mine, result.error)
    hosts = {name for _, name in known}
    for each in failed:
        stands_alone = not {(each.play, each.host), (each.play, "")} & set(known)
        if each in mine or (stands_alone and (each.host == host or each.host not in hosts)):
            return Verified(play, host, mine, _error(each, result))
    before = next((_error(each, result).cause for each in failed if each.host == host), "")
    reason = "" if mine else f"did not run: {before}" if before else "it ran no task here"
    return Verified(play, host, mine, reason=reason)


def _error(outcome: Outcome, result: Converge) -> ConvergeError:
    word = "is unreachable" if outcome.status == "unreachable" else "failed"
    text = f"{word}: {' '.join(outcome.message.split())[:600]} [{outcome.path}]"
    return ConvergeError(
        text, where=str(outcome), log=result.log, play=outcome.play, role=outcome.role, host=outcome.host
    )
