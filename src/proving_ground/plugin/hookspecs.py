"""The hooks by which a project adds to a run, in its root ``conftest.py`` or in a plugin of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from proving_ground.diagnostics.collectors import Collector
    from proving_ground.diagnostics.findings import HealthCheck
    from proving_ground.report.sections import Section


@pytest.hookspec
def pytest_proving_ground_end(session: pytest.Session) -> None:
    """Look at the machines for the last time: all tests are over, in all processes. Not called on xdist's workers."""


@pytest.hookspec
def pytest_proving_ground_report(session: pytest.Session) -> None:
    """Write a report: the run has ended, and with it its machines. Not called on xdist's workers."""


@pytest.hookspec
def pytest_proving_ground_collectors(item: pytest.Item) -> list[Collector]:  # type: ignore[empty-body]
    """Name further things to look at when ``item`` has failed."""


@pytest.hookspec
def pytest_proving_ground_health_checks(config: pytest.Config) -> list[HealthCheck]:  # type: ignore[empty-body]
    """Name what to ask after a green run, besides the machines' journals."""


@pytest.hookspec
def pytest_proving_ground_sections(config: pytest.Config) -> list[Section]:  # type: ignore[empty-body]
    """Add sections to the report."""
