"""When a report is written, and when not; and that it is never in the way of the run's own result."""

from __future__ import annotations

import importlib
from pathlib import Path

import jinja2  # noqa: F401 - once, and not anew in every run of pytester's
import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.core.errors import ConvergeError, MachineError
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]

PLUGINS = """
pytest_plugins = ["proving_ground.kubernetes.plugin"]
"""

TESTS = """
def test_fine(pg_machines): pass
def test_other(pg_converged): pass
"""


@pytest.fixture
def project(planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Machines come up and converge by word alone."""

    def create(life: Lifecycle) -> Record:
        with life.progress.step("vagrant up"):
            return Ledger(life.settings.state_directory).write(Record("run", "default", "docker", phase="created"))

    def converge(life: Lifecycle) -> None:
        with life.progress.step("converge"):
            life.progress.note("task", **Outcome("etcd-01", "etcd", "Start", "x.yml:1", "ok", 1, start=1e9).facts())

    monkeypatch.setattr(Lifecycle, "create", create)
    monkeypatch.setattr(Lifecycle, "ensure_converged", converge)
    planned.makeconftest(PLUGINS)
    planned.makepyfile(test_x=TESTS)
    return planned


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest("-p", "no:cacheprovider", *arguments)


def page(project: pytest.Pytester) -> str:
    return (project.path / "artifacts" / "latest" / "report.html").read_text(encoding="utf-8")


def reports(project: pytest.Pytester) -> list[Path]:
    return list(project.path.glob("artifacts/**/report.html"))


def test_a_green_run_leaves_its_report_and_says_where(project: pytest.Pytester) -> None:
    result = run(project)
    result.assert_outcomes(passed=2)
    assert result.outlines[-1].startswith("report: artifacts/2")
    assert (project.path / result.outlines[-1].removeprefix("report: ")).exists()
    text = page(project)
    for expected in ("✓ 2 tests passed", "vagrant up", "Converge: ", "etcd : Start", "test_fine", ">junit.xml<"):
        assert expected in text


def test_a_report_of_machines_that_are_gone_names_no_way_to_them(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The machines are up" in (run(project, "--pg-keep", "always") and page(project))

    def destroy(life: Lifecycle) -> None:
        life.ledger.clear()

    monkeypatch.setattr(Lifecycle, "created_here", True)
    monkeypatch.setattr(Lifecycle, "destroy", destroy)
    run(project, "--pg-keep", "never")
    assert "The machines are up" not in page(project)


def test_a_red_run_links_what_was_looked_at_and_says_how_to_run_it_again(project: pytest.Pytester) -> None:
    project.makepyfile(test_x=TESTS + "\ndef test_red(pg_machines): assert 'kube-worker-01 is off' == ''")
    result = run(project)
    result.assert_outcomes(passed=2, failed=1)
    text = page(project)
    assert "1 of 3 tests failed" in text
    assert "First cause: kube-worker-01" in text
    assert "pytest --pg-reuse test_x.py::test_red" in text
    assert 'href="test_x-test_red/etcd-01.txt"' in text
    assert (project.path / "artifacts" / "latest" / "test_x-test_red" / "etcd-01.txt").exists()


def test_a_run_without_machines_at_its_end_is_not_told_to_reuse_them(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(life: Lifecycle) -> None:
        life.progress.note("begin")

    monkeypatch.setattr(Lifecycle, "create", create)
    project.makepyfile(test_x="def test_red(pg_machines): assert False")
    run(project)
    assert "pytest test_x.py::test_red" in page(project)
    assert "how to reach them" not in page(project)


def test_a_run_that_the_infrastructure_ended_has_its_report(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(life: Lifecycle) -> None:
        with life.progress.step("vagrant up"):
            raise MachineError("no space left", where="kube-worker-02", hint="make room")

    monkeypatch.setattr(Lifecycle, "create", create)
    result = run(project, "--pg-keep", "never")
    assert result.ret == 14
    assert result.outlines[-1].startswith("report: artifacts/2")
    text = page(project)
    for expected in (
        "A machine did not come up",
        "First cause: kube-worker-02",
        "no space left",
        "make room",
        "</b> ✗",
    ):
        assert expected in text
    assert text.count("pytest -p no:cacheprovider --pg-keep never") == 2  # as it was typed, and to be run again


def test_a_converge_that_failed_is_the_first_cause_although_tests_ran(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converge(life: Lifecycle) -> None:
        with life.progress.step("converge"):
            raise ConvergeError(
                "failed: no route", where="etcd-01: etcd : Start", play="First", role="etcd", host="etcd-01"
            )

    monkeypatch.setattr(Lifecycle, "ensure_converged", converge)
    project.makefile(".yml", site="- {name: First, hosts: etcd, roles: [etcd]}")
    test = """
import pytest

@pytest.mark.lifecycle
def test_converges(pg_converged, pg_converge_failure): assert pg_converge_failure is None, "it follows"
"""
    project.makepyfile(test_x=TESTS + test)
    assert run(project).ret == 15
    text = page(project)
    assert "The playbook is wrong, or a task failed on a host" in text
    assert text.index("First cause: etcd-01") < text.index("failed: no route") < text.index("it follows")


def test_a_run_that_was_interrupted_has_its_report(project: pytest.Pytester) -> None:
    project.makepyfile(test_x="def test_fine(pg_machines): pass\ndef test_long(pg_machines): raise KeyboardInterrupt")
    result = project.runpytest("-p", "no:cacheprovider", no_reraise_ctrlc=True)
    assert result.ret == 2
    assert "✗ interrupted" in page(project)


@pytest.mark.parametrize(
    ("test", "arguments"),
    [("def test_pure(): assert False", []), ("def test_x(pg_machines): pass", ["--collect-only"])],
)
def test_a_run_that_has_nothing_to_do_with_machines_has_none(
    project: pytest.Pytester, test: str, arguments: list[str]
) -> None:
    project.makepyfile(test_x=test)
    run(project, *arguments).stdout.no_fnmatch_line("*report: *")
    assert reports(project) == []


def test_a_report_that_cannot_be_written_is_one_line(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("no\nsuch filter")

    monkeypatch.setattr(importlib.import_module("proving_ground.report.writer"), "render", fail)
    result = run(project)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert result.outlines[-1] == "warning: no report was written: RuntimeError: no such filter"
    assert reports(project) == []


def test_a_project_adds_sections(project: pytest.Pytester) -> None:
    added = """
from proving_ground.report.sections import Section

def pytest_proving_ground_sections(config):
    return [Section("Of the project's own", "as it likes")]
"""
    project.makeconftest(PLUGINS + added)
    run(project)
    assert "as it likes" in page(project)


def test_a_section_that_fails_costs_no_more_than_the_sections(project: pytest.Pytester) -> None:
    project.makeconftest(PLUGINS + "\ndef pytest_proving_ground_sections(config): raise RuntimeError('no')")
    result = run(project)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["warning: the report lacks its sections: RuntimeError: no", "report: *"])
    assert "✓ 2 tests passed" in page(project)


def test_truth_tables_are_shown_and_what_is_wrong_in_words(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_x="""
        from proving_ground.kubernetes.reachability import Observation, Outcome

        def test_pods(pg_machines, pg_reachability):
            table = pg_reachability("pods reach pods")
            table.expect("pod-1", "pod-2", Outcome.CONNECTED)
            table.expect("pod-2", "pod-1", Outcome.CONNECTED)
            connected, blocked = Observation(Outcome.CONNECTED), Observation(Outcome.BLOCKED)
            table.compare({("pod-1", "pod-2"): connected, ("pod-2", "pod-1"): blocked})
        """
    )
    run(project).assert_outcomes(failed=1)
    text = page(project)
    assert "1 truth tables, 1 of them wrong" in text
    assert "<li>pod-2 → pod-1: expected connected, found blocked</li>" in text


def test_a_worker_of_several_leaves_notes_and_no_report(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("_pytest.config.Config.workerinput", {}, raising=False)
    run(project).assert_outcomes(passed=2)
    assert reports(project) == []
    assert list(project.path.glob("artifacts/2*/timeline.jsonl"))
