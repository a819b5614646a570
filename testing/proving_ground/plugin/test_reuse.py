"""With ``--pg-reuse`` machines are tested as they are: what is broken by hand is found before anything fixes it."""

from __future__ import annotations

import pytest

from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.lifecycle
@pytest.mark.order(15)
def test_converges(): pass

@pytest.mark.order(60)
def test_master(): pass

@pytest.mark.order(50)
def test_network(): pass
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], ["converges", "network", "master"]), (["--pg-reuse"], ["network", "master", "converges"])],
)
def test_phases_that_converge_come_last(planned: pytest.Pytester, options: list[str], expected: list[str]) -> None:
    Ledger(planned.path / ".proving-ground").write(Record("run", "default", "docker", phase="converged"))
    planned.makeconftest('pytest_plugins = ["proving_ground.plugin.options"]')
    planned.makepyfile(test_x=TESTS)
    result = planned.runpytest_inprocess("-p", "no:cacheprovider", "--collect-only", "-q", *options)
    assert [line.rpartition("test_")[2] for line in result.outlines if "::" in line] == expected
