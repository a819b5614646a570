"""With ``-m upstream`` each of upstream's cases is a test of the run, with its own outcome, reason and seconds."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

E2E = """#!/bin/sh
[ "$1" = --list-tests ] || exit 2
for name in 'good [Conformance]' 'bad [Conformance]' 'picky [Conformance]' 'cloudy [Conformance]' 'other'; do
  echo "    a/b.go:1: [sig-a] $name"
done
"""
GINKGO = """#!/bin/sh
for word in "$@"; do
  case $word in --report-dir=*) report=${word#*=} ;; esac
done
printf '%s\\n' "$@" >"$report/arguments"
cat >"$report/junit_01.xml" <<'END'
<testsuites><testsuite>
<testcase name="[It] [sig-a] good [Conformance]" status="passed" time="12.5"></testcase>
<testcase name="[It] [sig-a] bad [Conformance]" time="3"><failure>[FAILED] it is bad</failure></testcase>
<testcase name="[It] [sig-a] picky [Conformance]" time="1"><skipped message="skipped - only on gce"/></testcase>
<testcase name="[SynchronizedAfterSuite]" status="failed"><failure>[FAILED] not clean</failure></testcase>
</testsuite></testsuites>
END
exit 1
"""
SUITE = r"""
cases: ['\[Conformance\]']
left_out:
  - {cases: [cloudy, rainy], reason: it needs a cloud}
"""
CONFTEST = """
from pathlib import Path
from proving_ground.depot import View
from proving_ground.kubernetes.upstream.collection import VIEW

pytest_plugins = ["proving_ground.kubernetes.plugin"]

def pytest_configure(config):
    config.stash[VIEW] = View(Path(__file__).parent, "key")
"""


@pytest.fixture
def project(planned: pytest.Pytester, put_on_path: Callable[[str, str], None]) -> pytest.Pytester:
    """A project with a suite, upstream's programs, which are scripts, and a cluster that is there."""
    put_on_path("kubectl", "#!/bin/sh\n")
    (planned.path / "kubeconfig").write_text("apiVersion: v1\n")
    (planned.path / "bin").mkdir()
    for name, text in {"e2e.test": E2E, "ginkgo": GINKGO}.items():
        (planned.path / "bin" / name).write_text(text)
        (planned.path / "bin" / name).chmod(0o755)
    (planned.path / "e2e_conformance.yml").write_text(SUITE)
    planned.makeconftest(CONFTEST)
    planned.makepyfile(test_x="def test_of_the_project(): pass")
    return planned


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.runpytest_subprocess("--pg-kubeconfig=kubeconfig", "-p", "no:cacheprovider", *words)


def test_each_case_is_a_test_with_its_outcome_its_reason_and_its_seconds(project: pytest.Pytester) -> None:
    result = run(project, "-m", "upstream", "-rs", "--junitxml=results.xml")
    result.assert_outcomes(passed=1, failed=1, skipped=2, deselected=1)
    result.stdout.fnmatch_lines_random(
        [
            "upstream's suite conformance: 3 cases, 1 at a time",
            "conformance: ?SynchronizedAfterSuite?: ?FAILED? not clean",
            "*?FAILED? it is bad*",
            "*SKIPPED*it needs a cloud*",
            "warning: e2e_conformance.yml: 'rainy' leaves out no case",
            "*SKIPPED*upstream skips it: only on gce*",
        ]
    )
    found = {each.get("name"): each for each in ElementTree.parse(project.path / "results.xml").iter("testcase")}
    assert len(found) == 4
    seconds = float(found["test_case[[sig-a] good [Conformance]]"].get("time", 0))
    assert 12.5 <= seconds < 60, "the case's own, and what the test itself took"


def test_only_the_cases_that_are_chosen_run(project: pytest.Pytester) -> None:
    run(project, "-m", "upstream", "-k", "good or cloudy").assert_outcomes(passed=1, skipped=1, deselected=3)
    (arguments,) = project.path.rglob("upstream/conformance/arguments")
    words = arguments.read_text().splitlines()
    assert [word for word in words if word.startswith("--focus")] == [r"--focus= \[sig-a\] good \[Conformance\]$"]


def test_case_that_upstream_did_not_reach_is_red_with_what_went_wrong_around_it(project: pytest.Pytester) -> None:
    program = project.path / "bin" / "ginkgo"
    program.write_text(program.read_text().replace("[sig-a] good", "[sig-a] changed"))
    result = run(project, "-m", "upstream", "-k", "good")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*upstream did not run it: ?SynchronizedAfterSuite?: ?FAILED? not clean"])


def test_no_case_is_collected_unless_it_is_asked_for(project: pytest.Pytester) -> None:
    (project.path / "bin" / "e2e.test").unlink()
    run(project).assert_outcomes(passed=1)
    run(project, "-m", "not upstream").assert_outcomes(passed=1)


def test_suite_or_case_that_is_named_is_asked_for_as_in_the_command_that_runs_a_red_one_again(
    project: pytest.Pytester,
) -> None:
    run(project, "e2e_conformance.yml").assert_outcomes(passed=1, failed=1, skipped=2)
    run(project, "e2e_conformance.yml::test_case[[sig-a] good [Conformance]]").assert_outcomes(passed=1)


def test_mistake_in_a_suite_ends_the_run_with_its_place(project: pytest.Pytester) -> None:
    (project.path / "e2e_conformance.yml").write_text("cases: [nothing]\n")
    result = run(project, "-m", "upstream")
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*e2e_conformance.yml: none of 5 cases is chosen*"])
