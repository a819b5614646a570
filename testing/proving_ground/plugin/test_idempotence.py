"""The second converge as items: a change is red by host, role and task, with its difference."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
- {name: Second, hosts: localhost, roles: [client]}
"""

CONFTEST = """
import pytest
from pathlib import Path
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.ansible.events import Outcome


def outcome(host, role, task, status="ok", diff=""):
    return Outcome(host, role, task, f"roles/{{role}}/tasks/main.yml:7", status, 0.1, diff=diff)


class Machines:
    def ensure_converged(self):
        return None

    def repeat(self):
        {does}


@pytest.fixture(scope="session")
def pg_machines():
    return Machines()
"""

FINE = 'outcome("etcd-01", "store", "Install"), outcome("localhost", "client", "Write")'


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makefile(".toml", pyproject="[tool.proving-ground]")
    return planned


def run(project: pytest.Pytester, does: str, *arguments: str, k: str = "idempotence") -> pytest.RunResult:
    project.makeconftest(CONFTEST.format(does=does))
    return project.runpytest("-rA", "-p", "no:cacheprovider", "-W", "ignore", "-k", k, *arguments)


def test_every_role_on_every_host_is_an_item_that_can_be_chosen(project: pytest.Pytester) -> None:
    result = run(project, f"return Converge(({FINE}), Path())", k="etcd-01 and store")
    result.assert_outcomes(passed=1, deselected=4)
    result.stdout.fnmatch_lines(["PASSED steps::test_idempotence[[]etcd-01-store[]]"])


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since 9")
def test_a_change_is_red_by_host_role_and_task_and_shows_the_difference(project: pytest.Pytester) -> None:
    change = 'outcome("etcd-01", "store", "Settings", "changed", "--- before\\nold\\n+++ after\\nnew")'
    result = run(project, f"return Converge(({FINE}, {change}), Path())")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["etcd-01: store : Settings [[]roles/store/tasks/main.yml:7[]]", "--- before", "old", "+++ after", "new"]
    )
    result.stdout.fnmatch_lines(["SUBFAILED(*task='Settings') *[[]etcd-01-store[]]*"])
    result.stdout.fnmatch_lines(["PASSED *[[]localhost-client[]]"])


def test_changes_are_one_failure_where_pytest_has_no_subtests(project: pytest.Pytester) -> None:
    """As pytest 8.4."""
    changes = [f'outcome("etcd-01", "store", "{task}", "changed", "--- before")' for task in ("Settings", "Key")]
    result = run(project, f"return Converge(({FINE}, {', '.join(changes)}), Path())", "-p", "no:subtests")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["etcd-01: store : Settings *", "--- before", "etcd-01: store : Key *", "--- before"])
    result.stdout.fnmatch_lines(["FAILED *[[]etcd-01-store[]]*"])


def test_junit_holds_the_change(project: pytest.Pytester) -> None:
    change = 'outcome("etcd-01", "store", "Settings", "changed", "--- before\\nold\\n+++ after\\nnew")'
    run(project, f"return Converge(({FINE}, {change}), Path())", "--junitxml=junit.xml")
    suite = ElementTree.parse(project.path / "junit.xml").getroot()[0]
    (case,) = [case for case in suite if case.find("failure") is not None]
    assert case.get("name") == "test_idempotence[etcd-01-store]"
    assert "etcd-01: store : Settings" in (case.find("failure").text or "")  # type: ignore[union-attr]


def test_a_role_that_ran_no_task_proves_nothing(project: pytest.Pytester) -> None:
    result = run(project, 'return Converge((outcome("etcd-01", "store", "Install"),), Path())')
    result.stdout.fnmatch_lines(["E *client ran no task on localhost", "FAILED *[[]localhost-client[]]*"])


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since 9")
def test_a_change_outside_roles_is_red_as_well(project: pytest.Pytester) -> None:
    change = 'outcome("etcd-01", "", "A task of the play", "changed")'
    result = run(project, f"return Converge(({FINE}, {change}), Path())")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["SUBFAILED*task='A task of the play'*outside_roles*"])


@pytest.mark.parametrize(("role", "red"), [("store", "[[]etcd-01-store[]]"), ("dependency", "*outside_roles")])
def test_a_second_converge_that_fails_is_one_failure(project: pytest.Pytester, role: str, red: str) -> None:
    does = (
        f'raise ConvergeError("failed: no", where="etcd-01: {role} : X", play="First", role="{role}", host="etcd-01")'
    )
    result = run(project, does)
    result.assert_outcomes(errors=1, skipped=2)
    result.stdout.fnmatch_lines([f"ERROR *{red}*"])


def test_a_playbook_that_is_none_ends_the_run_in_one_line_with_the_code_of_a_wrong_playbook(
    project: pytest.Pytester,
) -> None:
    (project.path / "site.yml").write_text("- hosts: [etcd", encoding="utf-8")
    result = run(project, f"return Converge(({FINE}), Path())")
    assert result.ret == 15
    result.stdout.fnmatch_lines(
        ["! error: site.yml: not YAML: expected ',' or ']', but got '<stream end>' [[]line 1, column 15[]] !"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests since 9")
def test_a_role_of_a_collection_may_be_named_by_its_last_part(project: pytest.Pytester) -> None:
    whole = 'outcome("etcd-01", "acme.tools.store", "Install", "changed"), outcome("localhost", "client", "Write")'
    result = run(project, f"return Converge(({whole}), Path())")
    result.stdout.fnmatch_lines(["SUBFAILED(*) *[[]etcd-01-store[]]*"])
    result.stdout.fnmatch_lines(["PASSED *outside_roles"])
