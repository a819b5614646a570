"""``pytest`` alone tests the steps of a run, but not on reused machines, nor when the command line names files."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PLAYBOOK = "- {name: First, hosts: etcd, roles: [store]}\n"
ALL = [
    "steps::test_syntax",
    "steps::test_converge",
    "steps::test_idempotence[etcd-01-store]",
    "steps::test_idempotence_outside_roles",
]
OWN = "test_own.py::test_own"


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject="[tool.proving-ground]")
    planned.makefile(".yml", site=PLAYBOOK)
    planned.makepyfile(test_own="def test_own(): pass")
    return planned


def listed(project: pytest.Pytester, *arguments: str) -> list[str]:
    result = project.runpytest("--collect-only", "-q", "-p", "no:cacheprovider", *arguments)
    assert result.ret == 0, result.outlines
    return [line for line in result.outlines if "::" in line]


def test_the_steps_come_before_the_projects_tests(project: pytest.Pytester) -> None:
    assert listed(project) == [*ALL, OWN]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["-k", "converge"], [ALL[1]]),
        (["-k", "idempotence and etcd-01"], [ALL[2]]),
        (["-m", "lifecycle"], ALL),
        (["-m", "syntax or converge"], ALL[:2]),
        (["-m", "idempotence"], ALL[2:]),
        (["-m", "not lifecycle"], [OWN]),
        (["--deselect", "steps::test_idempotence"], [*ALL[:2], OWN]),
    ],
)
def test_steps_are_selected_as_all_tests_are(project: pytest.Pytester, arguments: list[str], found: list[str]) -> None:
    assert listed(project, *arguments) == found


@pytest.mark.parametrize("arguments", [["test_own.py"], ["--pg-reuse"], ["."]])
def test_a_run_of_named_files_or_on_reused_machines_has_none(project: pytest.Pytester, arguments: list[str]) -> None:
    assert listed(project, *arguments) == [OWN]


def test_a_project_can_have_tests_of_its_own_instead(project: pytest.Pytester) -> None:
    project.makefile(".toml", pyproject="[tool.proving-ground]\nsteps = false")
    assert listed(project) == [OWN]


def test_a_project_without_a_playbook_has_none(project: pytest.Pytester) -> None:
    (project.path / "site.yml").unlink()
    assert listed(project) == [OWN]


def test_a_playbook_without_roles_has_no_test_of_each(project: pytest.Pytester) -> None:
    (project.path / "site.yml").write_text("- {name: First, hosts: etcd, tasks: []}\n", encoding="utf-8")
    assert listed(project) == [*ALL[:2], ALL[3], OWN]


def test_pytest_counts_only_the_steps_that_the_run_has(project: pytest.Pytester) -> None:
    result = project.runpytest("--collect-only", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines([f"collected {len([*ALL, OWN])} items"])


def test_a_project_with_a_preparation_has_a_test_of_it(project: pytest.Pytester) -> None:
    project.makefile(".yml", prepare=PLAYBOOK)
    assert listed(project) == [ALL[0], "steps::test_prepare", *ALL[1:], OWN]
    assert listed(project, "-m", "prepare") == ["steps::test_prepare"]


def test_a_preparation_that_fails_is_one_failure_and_nothing_runs_after_it(project: pytest.Pytester) -> None:
    project.makefile(".yml", prepare=PLAYBOOK)
    project.makeconftest(
        """
import pytest

class Machines:
    def prepare(self):
        from proving_ground.core.errors import ConvergeError
        raise ConvergeError("failed: no such package", where="etcd-01: Install", play="Prepare")

@pytest.fixture(scope="session")
def pg_machines():
    return Machines()
"""
    )
    result = project.runpytest("-p", "no:cacheprovider", "-rfs", "-k", "not syntax")
    assert result.ret == 15
    result.assert_outcomes(failed=1, skipped=3, passed=1, deselected=1)
    result.stdout.fnmatch_lines(["FAILED steps::test_prepare - *Install: failed: no such package*"])
    result.stdout.fnmatch_lines(["SKIPPED*the machines are not prepared: etcd-01: Install: *"])


def test_a_playbook_that_ansible_cannot_parse_ends_the_run_before_there_are_machines(project: pytest.Pytester) -> None:
    (project.path / "site.yml").write_text("- {name: First, hosts: etcd, rolls: [store]}\n", encoding="utf-8")
    project.makeconftest(
        """
import pytest

class Lifecycle:
    def syntax(self):
        from proving_ground.core.errors import ConvergeError
        raise ConvergeError("'rolls' is not a valid attribute for a Play", where="site.yml")

@pytest.fixture(scope="session")
def pg_lifecycle():
    return Lifecycle()
"""
    )
    result = project.runpytest("-p", "no:cacheprovider")
    assert result.ret == 15
    result.stdout.fnmatch_lines(["!* error: site.yml: 'rolls' is not a valid attribute for a Play !*"])


def test_requirements_that_cannot_be_installed_end_the_run_before_there_are_machines(project: pytest.Pytester) -> None:
    project.makefile(".yml", requirements="roles: [")
    result = project.runpytest("-p", "no:cacheprovider")
    assert result.ret == 18
    result.stdout.fnmatch_lines(["!* error: requirements.yml: not YAML: *"])


def test_a_red_step_is_run_again_by_its_name(project: pytest.Pytester) -> None:
    from proving_ground.core.settings import Settings
    from proving_ground.plugin.debug_hints import rerun_commands

    settings = Settings(project.path, "run")
    assert list(rerun_commands(settings, ["steps::test_idempotence[etcd-01-store] SUBFAILED"])) == [
        "pytest -k test_idempotence"
    ]
    assert list(rerun_commands(settings, ["steps::test_converge", OWN])) == [
        "pytest -k test_converge",
        f"pytest --pg-reuse {OWN}",
    ]
