"""Add the steps of a run to the collected tests, so that ``pytest`` alone proves syntax, converge and idempotence."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.plugin.idempotence import named
from proving_ground.plugin.run import run_of
from proving_ground.plugin.verification import listed

TESTS = Path(__file__).with_name("step_tests.py")
NODE = "steps"
"""What their node identifiers begin with: ``steps::test_converge``."""


@pytest.hookimpl(tryfirst=True)  # -k, -m and --lf select among them as among all tests
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the steps before the project's tests."""
    if are_wanted(config):
        items[:0] = session.genitems(Steps.from_parent(session, path=TESTS, nodeid=NODE))


class Steps(pytest.Module):
    """The module of the steps, without those that the run has not, so that pytest does not count them."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Return the tests of this run."""
        without = absent(self.config)
        return [each for each in super().collect() if getattr(each, "originalname", "") not in without]


def absent(config: pytest.Config) -> frozenset[str]:
    """Return the names of the steps that this run has not: pytest would show a skip for a playbook without roles.

    With ``--pg-reuse`` machines stay as they are, and are only verified.
    """
    settings = run_of(config).settings
    has = {
        "test_syntax": not settings.as_they_are,
        "test_prepare": settings.prepare and not settings.as_they_are,
        "test_converge": not settings.as_they_are,
        "test_check_mode": settings.project.check_mode and named(config) and not settings.as_they_are,
        "test_check_mode_outside_roles": settings.project.check_mode and not settings.as_they_are,
        "test_idempotence": named(config) and not settings.as_they_are,
        "test_idempotence_outside_roles": not settings.as_they_are,
        "test_verify": listed(config),
        "test_cleanup": settings.cleanup and not settings.as_they_are,
    }
    return frozenset(name for name, found in has.items() if not found)


def are_wanted(config: pytest.Config) -> bool:
    """Whether the steps are tests of this run.

    They are not if the command line names files, if hosts of an inventory are taken as they are, if the run makes no
    machines, if the project has no playbook, or if it has tests of its own for the steps (``steps = false``).
    """
    run, names_files = run_of(config), config.args_source is config.ArgsSource.ARGS
    settings = run.settings
    return (
        not run.without_machines
        and settings.project.steps
        and settings.has_playbook
        and settings.converge
        and not names_files
    )
