"""An error of the harness is told in its own words, with its own exit code, and without our source beside it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

CONFTEST = """
import pytest
from proving_ground.core.errors import ConvergeError


class Broken:
    def syntax(self):
        raise ConvergeError("no such module [site.yml:7:3]", where="syntax", hint="mend it")


@pytest.fixture(scope="session")
def pg_lifecycle():
    return Broken()
"""

TESTS = """
def test_own(pg_lifecycle):
    pg_lifecycle.syntax()


def test_other():
    raise RuntimeError("a bug of ours")
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makeconftest(CONFTEST)
    return planned


def test_a_playbook_that_does_not_parse_ends_the_run_before_anything_is_made(project: pytest.Pytester) -> None:
    suite = (ROOT / "tests" / "lifecycle" / "test_syntax.py").read_text(encoding="utf-8")
    project.makepyfile(test_syntax=suite, test_z="def test_later(): pass")
    result = project.runpytest_inprocess("-p", "no:order")
    assert result.ret == 15
    result.assert_outcomes()
    result.stdout.fnmatch_lines(["*! error: syntax: no such module [[]site.yml:7:3[]] — mend it !*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*_pytest*")


def test_a_bad_option_is_an_error_in_one_line(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--pg-topology", "nowhere")
    assert result.ret == 11
    result.stderr.fnmatch_lines(["error: --pg-topology: unknown topology 'nowhere' — choose one of: default"])


def test_a_test_that_runs_into_an_error_of_the_harness_shows_its_words_alone(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    result = project.runpytest_inprocess("--junit-xml=junit.xml")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*_ test_own _*", "syntax: no such module [[]site.yml:7:3[]] — mend it", "*_ test_other _*"]
    )
    result.stdout.no_fnmatch_line("*class Broken*")
    result.stdout.fnmatch_lines(
        ["FAILED *::test_own - syntax: no such module *", "FAILED *::test_other - RuntimeError*"]
    )
    failures = ElementTree.parse(project.path / "junit.xml").iter("failure")
    assert "syntax: no such module" in next(failures).attrib["message"]


def test_a_bug_of_ours_shows_its_traceback(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=TESTS)
    result = project.runpytest_inprocess("-k", "other")
    result.stdout.fnmatch_lines([">*raise RuntimeError(*", "test_it.py:*: RuntimeError"])


def test_a_ledger_that_cannot_be_read_ends_the_run_before_its_tests(project: pytest.Pytester) -> None:
    ledger = project.path / ".proving-ground" / "ledger.json"
    ledger.parent.mkdir()
    ledger.write_text("{", encoding="utf-8")
    project.makepyfile(test_it="def test_it(): pass")
    result = project.runpytest_inprocess()
    assert result.ret == 14
    result.stderr.fnmatch_lines(
        [f"error: {ledger}: the ledger of machines cannot be read, * `proving-ground destroy`*"]
    )
    assert project.runpytest_inprocess("--collect-only").ret == 0, "who only collects has no machines"
