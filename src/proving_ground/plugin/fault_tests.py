"""The faults of a project as tests, which the plugin adds with ``-m fault``: do the project's tests notice them?"""

from __future__ import annotations

import pytest

from proving_ground.plugin.fault_runs import FaultRuns


@pytest.mark.fault
def test_is_noticed(pg_fault_name: str, pg_fault_runs: FaultRuns) -> None:
    """While the fault is in, the first red test is one that it names; before and afterwards all are green."""
    if pg_fault_runs.red_before:
        pytest.skip("tests are red without a fault")
    noticed = pg_fault_runs.notice(pg_fault_name)
    if noticed.problems:
        pytest.fail("\n".join(noticed.problems), pytrace=False)
