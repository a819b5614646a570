"""`pytest --pdb` stops while machines are alive, and says how to reach them before it asks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
from types import SimpleNamespace

from proving_ground.plugin import run


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", ["kube-worker-01"])


class Life:
    created_here = True

    def __init__(self, settings, progress):
        self.settings, self.progress, self.state = settings, progress, "alive"

    def create(self):
        return SimpleNamespace(timeout_factor=1.0, network_prefix=None)

    def destroy(self):
        self.state = "gone"
        with self.progress.step("destroy"):
            pass


@pytest.fixture(scope="session", autouse=True)
def machines_are_there():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Lifecycle", Life)
        yield
"""

KEYBOARD = """
import io, pdb, sys

TYPED = io.StringIO({typed!r})

class Debugger(pdb.Pdb):
    def __init__(self, **options):
        super().__init__(stdin=TYPED, stdout=sys.stdout, **options)
"""

WAY_IN = "*ssh -F .proving-ground/ssh.config kube-worker-01 *"


class Project:
    """A project with machines that are up, and somebody at the keyboard."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def run(self, test: str, typed: str, *options: str) -> pytest.RunResult:
        """Run a test; at its prompts, these lines are typed."""
        keyboard = f"keyboard_of_{self.pytester.path.name}"  # pytest keeps a debugger's class by its name
        self.pytester.makepyfile(**{"test_x": test, keyboard: KEYBOARD.format(typed=typed)})
        self.pytester.syspathinsert()
        return self.pytester.runpytest_inprocess("-p", "no:cacheprovider", f"--pdbcls={keyboard}:Debugger", *options)


@pytest.fixture
def project(planned: pytest.Pytester) -> Project:
    state = planned.path / ".proving-ground"
    Ledger(state).write(Record("run", "default", "docker", phase="converged", view="/depot/view"))
    (state / "kubeconfig").touch()
    environment = '[tool.proving-ground.environment]\nKUBECONFIG = "{state}/kubeconfig"'
    planned.makefile(".toml", pyproject=environment)
    planned.makeconftest(CONFTEST)
    return Project(planned)


FAILS = "def test_y(pg_machines, name): assert not name"
LOOK = "p 'machines are', pg_machines.state\n"
ALIVE = "*('machines are', 'alive')"


def test_keyboard_and_screen_are_the_debuggers_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    project.pytester.makepyfile(test_x=FAILS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pdb", "--pg-keep=never"]
    result = project.pytester.run(*command, stdin=f"{LOOK}c\n".encode())
    result.stdout.fnmatch_lines([WAY_IN, ALIVE, "*destroy done in*", "*1 failed*"])


def test_machines_are_kept_when_the_debugger_is_quit(project: Project) -> None:
    result = project.run(FAILS, f"{LOOK}q\n", "--pdb")
    result.stdout.fnmatch_lines([ALIVE])
    result.stdout.no_fnmatch_line("*destroy …")


def test_way_in_is_there_before_the_prompt_and_machines_are_alive_until_it_is_left(project: Project) -> None:
    result = project.run(FAILS, f"{LOOK}c\n", "--pdb", "--pg-keep=never")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*how to reach them*", WAY_IN, "*export KUBECONFIG=$PWD/.proving-ground/kubeconfig", ALIVE, "*destroy done*"]
    )
    before, _, _ = result.stdout.str().partition("(Pdb)")
    assert before.count("ssh.config kube-worker-01") == 1
    assert "ssh.config etcd-01" not in before  # the test is not about it


def test_way_in_is_there_at_a_breakpoint(project: Project) -> None:
    test = "def test_y(pg_machines, name):\n    breakpoint()\n    assert name"
    result = project.run(test, f"{LOOK}c\n", "--pg-keep=never")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([WAY_IN, ALIVE, "*destroy done*"])


def test_way_in_is_shown_once_however_often_the_debugger_is_entered(project: Project) -> None:
    test = "def test_y(pg_machines, name):\n    breakpoint()\n    breakpoint()\n    assert not name"
    result = project.run(test, f"c\nc\n{LOOK}c\n", "--pdb")
    result.stdout.fnmatch_lines([ALIVE])
    entered, _, _ = result.stdout.str().partition("('machines are'")
    assert entered.count("(Pdb)") == 3
    assert entered.count("ssh.config kube-worker-01") == 1


def test_a_fixture_that_fails_is_entered_with_its_machines(project: Project) -> None:
    broken = "import pytest\n@pytest.fixture\ndef broken(pg_machines): raise RuntimeError"
    test = f"{broken}\n{FAILS.replace('name)', 'broken)')}"
    result = project.run(test, f"{LOOK}c\n", "--pdb", "--pg-keep=never")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ssh.config etcd-01 *", WAY_IN, ALIVE, "*destroy done*"])


@pytest.mark.parametrize("test", ["def test_y(name): assert not name", "def test_y(name):\n    breakpoint()"])
def test_nothing_is_said_in_a_test_without_machines(project: Project, test: str) -> None:
    result = project.run(test, "p 'here'\nc\n", "--pdb", "--pg-keep=never")
    before, _, _ = result.stdout.str().partition("'here'")
    assert "(Pdb)" in before
    assert "ssh.config" not in before
