"""The hooks with which a project extends a run, in its root ``conftest.py`` or in a plugin of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from proving_ground.diagnostics.collectors import Collector
    from proving_ground.diagnostics.findings import HealthCheck
    from proving_ground.report.sections import Section


@pytest.hookspec
def pytest_proving_ground_end(session: pytest.Session) -> None:
    """Check the machines after all tests in all processes, before their removal. Not called on xdist's workers."""


@pytest.hookspec
def pytest_proving_ground_report(session: pytest.Session) -> None:
    """Write a report after the end of the run and the removal of its machines. Not called on xdist's workers."""


@pytest.hookspec
def pytest_proving_ground_collectors(item: pytest.Item) -> list[Collector]:  # type: ignore[empty-body]
    """Return further collectors to run when ``item`` has failed."""


@pytest.hookspec
def pytest_proving_ground_health_checks(config: pytest.Config) -> list[HealthCheck]:  # type: ignore[empty-body]
    """Return further health checks to run after a green run, besides those of the machines' journals."""


@pytest.hookspec
def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:  # type: ignore[empty-body]
    """Return sections to add to the report."""


@pytest.hookspec(firstresult=True)
def pytest_proving_ground_without_machines(config: pytest.Config) -> str | None:
    """Return why this run makes no machines, so that tests that need some are skipped; None if it may make some."""
