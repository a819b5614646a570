"""Count a role that did not converge as one failure: skip the tests that need it, run the others."""

from __future__ import annotations

import pytest

from proving_ground.ansible.playbook import unreached
from proving_ground.core.errors import ConvergeError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.fixtures import await_roles, playbook_steps
from proving_ground.plugin.run import run_of

GUARD = "pg_needed_roles"
OWN_BUSINESS = ("before_converge", "lifecycle")
"""Markers of tests that need no converged role."""


def roles_of(item: pytest.Item) -> frozenset[str]:
    """Return the roles in a test's markers; empty if it needs all roles."""
    return frozenset(name for marker in item.iter_markers("role") for name in marker.args)


@pytest.fixture
def pg_needed_roles(request: pytest.FixtureRequest, pg_machines: Lifecycle, pg_converged: object) -> None:  # noqa: ARG001 - comes first
    """Skips the test, with the cause, if a role that it needs did not converge; runs before all other fixtures."""
    needed = roles_of(request.node)
    run = run_of(request.config)
    await_roles(run, pg_machines, needed or None)
    failure = run.failed_converge
    if failure is None:
        return
    lacking = unreached(playbook_steps(request.config), failure.play, failure.role)
    if needed and not needed & lacking:
        return
    what = ", ".join(sorted(needed & lacking)) or "all that it needs"
    pytest.skip(f"{what} did not converge: {failure.cause}")


@pytest.fixture(scope="session")
def pg_converge_failure(pg_converged: object, pytestconfig: pytest.Config) -> ConvergeError | None:  # noqa: ARG001 - comes first
    """The error of the task that failed in the converge, or None."""
    return run_of(pytestconfig).failed_converge


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the guard as the first fixture of every test of converged machines: its other fixtures need the roles."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        wanted = {"pg_converged", "host"} & set(names) or item.get_closest_marker("role")
        if wanted and GUARD not in names and not any(item.get_closest_marker(name) for name in OWN_BUSINESS):
            names.insert(0, GUARD)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the cause of a failed converge once."""
    error = run_of(config).failed_converge
    if error is not None:
        terminalreporter.section("converge failed", red=True, bold=True)
        terminalreporter.write_line(str(error))
