"""Upstream's cases as tests, which the plugin adds with ``-m upstream``: what became of each of them?"""

from __future__ import annotations

import pytest

from proving_ground.kubernetes.upstream.collection import SECONDS
from proving_ground.kubernetes.upstream.junit import Results
from proving_ground.kubernetes.upstream.suite import Case

MOST = 4000
"""Characters of a failure's words that the test repeats; the run's folder has all."""


@pytest.mark.upstream
def test_case(pg_upstream_case: Case, pg_upstream_results: Results, request: pytest.FixtureRequest) -> None:
    """The case has passed when upstream's program ran it, or says itself why it does not apply."""
    result = pg_upstream_results.cases.get(pg_upstream_case.name)
    if result is None:
        around = "\n".join(pg_upstream_results.around) or "it was not reached"
        pytest.fail(f"upstream did not run it: {around}", pytrace=False)
    request.node.stash[SECONDS] = result.seconds
    if result.outcome == "skipped":
        pytest.skip(f"upstream skips it: {result.message}")
    if result.outcome != "passed":
        pytest.fail(result.message[:MOST], pytrace=False)
