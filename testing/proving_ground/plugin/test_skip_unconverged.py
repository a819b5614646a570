"""A role that fails to converge is one failure; what does not need it is tested all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
- {name: Second, hosts: kube_worker, roles: [network, cluster]}
- {name: Third, hosts: localhost, roles: [sample]}
"""

CONFTEST = """
import pytest
from proving_ground.core.errors import ConvergeError


class Machines:
    def ensure_converged(self):
        {does}

    def is_ready(self, roles):
        return True


@pytest.fixture(scope="session")
def pg_machines():
    return Machines()


@pytest.fixture(scope="session")
def cluster(pg_converged):
    raise AssertionError("asked for although it cannot be there")
"""

FAILS = """raise ConvergeError(
            "failed: no route", where="kube-worker-01: network : Start it", play="Second", role="network")"""

TESTS = """
import pytest


@pytest.mark.role("store")
def test_store(pg_converged): pass


@pytest.mark.role("sample")
def test_sample(cluster): pass


@pytest.mark.role("store", "cluster")
def test_both(cluster): pass


def test_unsaid(cluster): pass


def test_pure(): pass


@pytest.mark.lifecycle
def test_converges(pg_converged, pg_converge_failure): assert pg_converge_failure is None, str(pg_converge_failure)
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makepyfile(TESTS)
    return planned


def test_what_needs_the_failed_role_is_not_run_and_the_rest_is(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.format(does=FAILS))
    result = project.runpytest("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1, skipped=3)
    cause = "kube-worker-01: network : Start it: failed: no route"
    result.stdout.fnmatch_lines(
        [
            f"*sample did not converge: {cause}",
            f"*cluster did not converge: {cause}",
            f"*all that it needs did not*{cause}",
        ]
    )


def test_a_failed_converge_has_its_own_exit_code_even_if_all_that_ran_passed(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.format(does=FAILS))
    result = project.runpytest("-k", "store or sample", "-p", "no:cacheprovider")
    assert result.ret == 15
    cause = "kube-worker-01: network : Start it: failed: no route"
    result.stdout.fnmatch_lines(["*= converge failed =*", cause])
    assert result.outlines[-1] == f"converge failed: {cause}", "the list of what was skipped is longer than a screen"


def test_a_playbook_that_cannot_run_ends_the_run(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.format(does='raise ConvergeError("no such module", where="site.yml")'))
    result = project.runpytest("-p", "no:cacheprovider")
    assert result.ret == 15
    result.stdout.fnmatch_lines(["*site.yml: no such module*"])
    result.assert_outcomes()


def test_nothing_is_skipped_when_everything_converged(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.format(does="return None").replace("raise AssertionError", "return str"))
    result = project.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=6)
    assert result.ret == 0
