"""Each fault of a project is put in; its tests have to notice, by name, and are green before and afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.template import Templar

from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import USUAL

pytest_plugins = ["pytester"]

KEPT = (InventoryManager, Templar)
"""Imported here, since Ansible cannot be imported twice: pytest in this process forgets what a run has imported."""

HOSTS = """
web:
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  hosts: {one: {}, two: {}}
"""
TESTS = """
import pytest
from pathlib import Path

PAGE = Path(__file__).with_name("page")

@pytest.mark.role("web")
@pytest.mark.parametrize("name", ["one", "two"])
def test_page_is_there(name):
    assert PAGE.exists(), "the page is gone"

@pytest.mark.role("web")
def test_machine_answers():
    assert PAGE.parent.exists()

@pytest.mark.role("other")
def test_of_another_role():
    assert not list(PAGE.parent.glob(".proving-ground/faults.json")), "it runs while faults of web are in"
"""
GONE = """
what: the page is gone
role: web
machine: controller
put_in: rm {page}
take_out: touch {page}
red: ["test_x.py::test_page_is_there[one]"]
green: ["test_x.py::test_machine_answers"]
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject='[tool.proving-ground]\ninventory = "hosts.yml"')
    planned.makefile(".yml", hosts=HOSTS)
    planned.makepyfile(test_x=TESTS)
    (planned.path / "page").touch()
    (planned.path / "faults").mkdir()
    fault(planned, "page-gone", GONE)
    return planned


def fault(project: pytest.Pytester, name: str, text: str) -> None:
    (project.path / "faults" / f"{name}.yml").write_text(text.replace("{page}", str(project.path / "page")))


def run(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-m", "fault", "-p", "no:cacheprovider", *words)


def test_each_fault_is_judged_by_what_the_tests_notice(project: pytest.Pytester) -> None:
    """In one run, since each fault takes two further runs of pytest."""
    project.makeconftest("from proving_ground.plugin import fault_runs; fault_runs.GREEN_AGAIN = 1")
    fault(project, "unseen", GONE.replace("the page is gone", "a word is said").replace("rm {page}", "echo word"))
    fault(project, "other", GONE.replace("is_there[one]", "is_there[two]").replace("machine_answers", "page_is_there"))
    fault(project, "script", GONE.replace("rm {page}", "echo no such page >&2; exit 3"))
    fault(project, "without-return", GONE.replace("touch {page}", "echo stays"))  # the last one
    result = run(project)
    result.assert_outcomes(passed=1, failed=4, deselected=4)
    result.stdout.fnmatch_lines_random(
        [
            "page-gone: test_x.py::test_page_is_there?one? after * s, and 1 more",
            "  page-gone",
            "      test_x.py::test_page_is_there?one? after * s, and 1 more",
            "the first red test is *is_there?one? (*the page is gone*); it should be one of *is_there?two?",
            "*is_there?one? is red, and should be green (*",
            "*controller: the script ended with 3: no such page — it was: echo no such page >&2; exit 3",
            "*all is green again after without-return*these are red: *test_page_is_there?one?*",
            "none of 3 tests noticed that a word is said",
            "✗ unseen",
            "      no test after * s",
            "✗ without-return",
            "✗ script",
            "      no test ran",
            "  pytest -m fault -k 'other or script or unseen or without-return'",
            "1 tests passed under faults, and no fault turned them red:",
            "  test_x.py::test_machine_answers",
        ]
    )
    pages = [page.read_text(encoding="utf-8") for page in project.path.rglob("report.html")]
    assert any("1 of 5 faults were noticed as they should be" in page for page in pages)
    assert len(pages) == 2, "the runs under faults have written reports, which nobody reads"


def test_tests_that_are_red_without_a_fault_say_nothing_of_one(project: pytest.Pytester) -> None:
    (project.path / "page").unlink()
    fault(project, "unseen", GONE)
    result = run(project)
    result.assert_outcomes(failed=1, skipped=1, deselected=4)
    result.stdout.fnmatch_lines(["*without a fault these are red: *test_page_is_there?one? (*"])
    assert not (project.path / "page").exists(), "the fault was put in, and taken out"


def test_what_a_killed_run_has_left_in_is_taken_out_first(project: pytest.Pytester) -> None:
    (project.path / "page").unlink()
    state = project.path / ".proving-ground"
    state.mkdir(exist_ok=True)
    left = {"name": "page-gone", "where": "one", "take_out": f"touch {project.path / 'page'}"}
    (state / "faults.json").write_text(json.dumps([left]))
    result = run(project)
    result.assert_outcomes(passed=1, deselected=4)
    result.stdout.fnmatch_lines(["page-gone was still in on one, and is out now"])
    (before,) = project.path.rglob("without-a-fault.xml")
    ran = before.read_text(encoding="utf-8")
    assert "test_machine_answers" in ran
    assert "test_of_another_role" not in ran, "no fault concerns it"


def test_no_fault_is_put_in_unless_it_is_asked_for(project: pytest.Pytester) -> None:
    project.runpytest_subprocess("-m", "not fault", "-p", "no:cacheprovider").assert_outcomes(passed=4)


def test_a_test_of_the_project_puts_a_fault_in_where_it_wants(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_x="""
        from pathlib import Path

        def test_page_comes_back(pg_fault):
            page = Path(__file__).with_name("page")
            with pg_fault("page-gone") as where:
                assert where == "controller"
                assert not page.exists()
            assert page.exists()
            with pg_fault("page-gone", host="two") as where:
                assert where == "two"

        def test_name_is_mistaken(pg_fault):
            with pg_fault("page-gon"):
                pass
        """
    )
    result = project.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*unknown fault 'page-gon' — did you mean page-gone?"])


WAITING = """
import time
import pytest
from pathlib import Path

@pytest.fixture
def namespace():
    Path("made").touch()
    yield
    Path("made").unlink()

@pytest.mark.role("web")
def test_that_takes_long(namespace):
    time.sleep(300)
"""


def test_tests_under_a_fault_clear_up_when_the_run_is_interrupted(project: pytest.Pytester) -> None:
    project.makepyfile(test_x=WAITING)
    made = project.path / "made"
    command = [sys.executable, "-m", "pytest", "-m", "fault", "-p", "no:cacheprovider"]
    # Of its own session: only this process is told, as by an editor or a CI job.
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        USUAL.wait_until("the test waits", lambda: there(made), timeout=60)
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == pytest.ExitCode.INTERRUPTED
    assert not made.exists()


def there(path: Path) -> None:
    if not path.exists():
        raise NotReady(f"{path} is not there")
