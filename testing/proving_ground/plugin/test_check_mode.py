"""Check mode on converged machines as items: neither a change nor a failure, by host and role."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
- {name: Second, hosts: localhost, roles: [client]}
"""

CONFTEST = """
import pytest
from pathlib import Path
from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError

def outcome(host, role, status="ok"):
    return Outcome(host, role, "Install", "site.yml:7", status, 0.1, diff="--- before")

class Machines:
    def ensure_converged(self):
        return None

    def is_ready(self, roles):
        return True

    def check(self):
        {does}

@pytest.fixture(scope="session")
def pg_machines():
    return Machines()
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makefile(".toml", pyproject="[tool.proving-ground]\ncheck_mode = true")
    return planned


def run(project: pytest.Pytester, does: str, *arguments: str) -> pytest.RunResult:
    project.makeconftest(CONFTEST.format(does=does))
    return project.runpytest("-rA", "-p", "no:cacheprovider", "-m", "check_mode", *arguments)


def test_it_is_a_step_only_on_request(project: pytest.Pytester) -> None:
    names = ["test_check_mode[etcd-01-store]", "test_check_mode[localhost-client]", "test_check_mode_outside_roles"]
    result = run(project, "pass", "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [f"steps::{name}" for name in names]
    project.makefile(".toml", pyproject="[tool.proving-ground]")
    assert run(project, "pass", "--collect-only", "-q").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_change_is_red_by_host_and_role(project: pytest.Pytester) -> None:
    outcomes = 'outcome("etcd-01", "store", "changed"), outcome("localhost", "client"), outcome("etcd-01", "")'
    result = run(project, f"return Converge(({outcomes}), Path())")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["etcd-01: store : Install [[]site.yml:7[]]", "--- before"])
    result.stdout.fnmatch_lines(["PASSED *[[]localhost-client[]]", "PASSED *outside_roles"])


@pytest.mark.parametrize(("role", "red"), [("store", "*etcd-01-store*"), ("", "*outside_roles*")])
def test_a_failure_is_red_where_it_is_and_the_rest_is_skipped(project: pytest.Pytester, role: str, red: str) -> None:
    error = f'ConvergeError("failed: no check mode", play="First", role="{role}", host="etcd-01")'
    result = run(project, f"raise {error}")
    result.assert_outcomes(errors=1, skipped=2, deselected=5)
    result.stdout.fnmatch_lines([f"ERROR {red}failed: no check mode*"])
