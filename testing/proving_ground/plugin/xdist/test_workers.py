"""``pytest -n 2``: one set of machines, made and removed once, and what workers find out is told by the controller."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.core.topology import load
from proving_ground.machines.ledger import Ledger
from proving_ground.machines.lock import locked
from proving_ground.plugin.run import RUN, Run
from proving_ground.plugin.xdist.shared_state import Shared
from proving_ground.plugin.xdist.workers import HELD, PLAN, group, pytest_xdist_node_collection_finished

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[4]
LIMIT = 300
"""Seconds for one run; it takes a few on a machine that has nothing else to do, and a minute on a busy one."""

PLAYBOOK = """
- {name: First, hosts: etcd, roles: [store]}
- {name: Second, hosts: kube_worker, roles: [network]}
"""

CONFTEST = """
import os
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace

import pytest

from proving_ground import depot
from proving_ground.lifecycle import executor
from proving_ground.lifecycle import machines
from proving_ground.host import networks
from proving_ground.lifecycle import preflight
from proving_ground.ansible.events import Outcome
from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError, MachineError
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.core.polling import NotReady, wait_until


EVENTS = Path(__file__).with_name("events")
FAILS = os.environ.get("FAILS")


def note(event):
    with EVENTS.open("a") as file:
        file.write(event + " " + os.environ.get("PYTEST_XDIST_WORKER", "-") + "\\n")


def create(settings, topology, network_prefix, view, progress, *, checkpoint=None):
    note("create")
    record = Record(settings.run_id, settings.topology, settings.provider, network_prefix)
    Ledger(settings.state_directory).write(record)
    with progress.step("machines"):
        if FAILS == "create":
            raise MachineError("no answer", where="etcd-01")
    return Ledger(settings.state_directory).update(phase="created", timeout_factor=3.0)


def destroy(settings, progress):
    note("destroy")
    if FAILS == "destroy":
        raise MachineError("will not go", where="etcd-01")
    Ledger(settings.state_directory).clear()


def run_playbook(settings, inventory, progress, *arguments, plays=None, timeouts=None):
    note(" ".join(["converge", *arguments]))
    if FAILS == "converge":
        raise ConvergeError("no route", where="kube-worker-01: network : Start", play="Second", role="network")
    return Converge((Outcome("etcd-01", "store", "Install", "site.yml:1", "ok", 0.1),), Path())


depot.ensure = lambda root, report, release: SimpleNamespace(path=Path("view"), key="key", images={})
machines.create, machines.destroy, executor.run_playbook = create, destroy, run_playbook
preflight.check = preflight.check_reachable = lambda *arguments: None
networks.routes = lambda: [("vpn0", IPv4Network(network)) for network in os.environ.get("IN_USE", "").split()]


@pytest.fixture
def noted(request):
    def happened(event):
        if event not in EVENTS.read_text():
            raise NotReady(f"there was no {event}")

    def wait_for(event):
        wait_until(f"there was {event}", lambda: happened(event), timeout=60, interval=0.02)

    note(f"begin {request.node.name}")
    yield wait_for
    note(f"end {request.node.name}")
"""

OPENING = """
import pytest

@pytest.mark.before_converge
@pytest.mark.order(1)
def test_untouched(pg_machines, noted): pass

@pytest.mark.lifecycle
@pytest.mark.order(2)
def test_converges(pg_converged, pg_converge_failure): assert pg_converge_failure is None, str(pg_converge_failure)

@pytest.mark.lifecycle
@pytest.mark.order(3)
@pytest.mark.parametrize("part", range(3))
def test_changes_nothing(pg_second_converge, part): pass
"""

REPEATED = "converge --diff --skip-tags=molecule-idempotence-notest"

STORE = """
import os, pytest

@pytest.mark.role("store")
@pytest.mark.parametrize("part", range(2))
def test_store(pg_converged, noted, pg_settings, pg_timeouts, part):
    assert pg_timeouts.factor == 3.0
    assert os.environ["PROVING_GROUND_RUN"] == f"{pg_settings.checkout_id}/{pg_settings.run_id}"
"""

NETWORK = """
import pytest

@pytest.mark.role("network")
@pytest.mark.parametrize("part", range(2))
def test_network(pg_converged, noted, part): pass
"""


@dataclass(frozen=True)
class Done:
    """A run that has ended: its exit code, what it printed, what happened in its order, as event and worker."""

    code: int
    output: str
    events: tuple[tuple[str, str], ...]

    def count(self, event: str) -> int:
        return [name for name, _ in self.events].count(event)

    def phases(self) -> list[str]:
        """What was done to the machines."""
        return [event for event, _ in self.events if not event.startswith(("begin", "end"))]

    def outcomes(self) -> str:
        """What pytest's report ends with, without its time."""
        return [match[1] for match in re.finditer(r"^=+ (.+) in [\d.]+s", self.output, re.MULTILINE)][-1]


class Project:
    """A project whose machines are only said to be there."""

    def __init__(self, directory: Path, **tests: str) -> None:
        self.directory = directory
        (directory / "topology").symlink_to(ROOT / "topology")
        files = {
            "pyproject.toml": "[tool.proving-ground]\nsteps = false",
            "conftest.py": CONFTEST,
            "site.yml": PLAYBOOK,
        } | {f"{name}.py": text for name, text in tests.items()}
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")

    @contextmanager
    def started(self, *arguments: str, fails: str = "") -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CI"))}
        environment |= {"PYTHONPATH": str(ROOT), "FAILS": fails, "COLUMNS": "200"}
        process = subprocess.Popen(
            command,
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def ended(self, process: subprocess.Popen[str]) -> Done:
        output, _ = process.communicate(timeout=LIMIT)
        return Done(process.returncode, output, self.events())

    def run(self, *arguments: str, fails: str = "") -> Done:
        with self.started(*arguments, fails=fails) as process:
            return self.ended(process)

    def events(self) -> tuple[tuple[str, str], ...]:
        file = self.directory / "events"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return tuple((event, worker) for event, _, worker in (line.rpartition(" ") for line in lines))

    def wait_for(self, wanted: str) -> str:
        """Wait for an event; returns in which worker it happened."""

        def probe() -> str:
            for event, worker in self.events():
                if event == wanted:
                    return worker
            raise NotReady(f"there were {self.events()}")

        return wait_until(f"there is {wanted!r}", probe, timeout=LIMIT, interval=0.05)

    def runs(self) -> list[Path]:
        return [path for path in self.directory.glob("artifacts/*") if not path.is_symlink()]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("suite"), test_a=OPENING, test_b=STORE, test_c=NETWORK)


@pytest.fixture(scope="module")
def passed(suite: Project) -> Done:
    """A run in which nothing fails."""
    return suite.run("-n2")


class TestRunThatPasses:
    def test_machines_are_made_converged_and_removed_once(self, passed: Done) -> None:
        assert passed.phases() == ["create", "converge", REPEATED, "destroy"], passed.output
        assert (passed.code, passed.outcomes()) == (0, "9 passed")

    def test_the_controller_removes_them_after_the_last_test(self, passed: Done) -> None:
        assert passed.events[-1] == ("destroy", "-")

    def test_both_workers_test(self, passed: Done) -> None:
        assert {worker for event, worker in passed.events if event.startswith("begin test_")} == {"gw0", "gw1"}

    def test_what_has_to_be_tested_before_the_converge_is(self, passed: Done) -> None:
        names = [event for event, _ in passed.events]
        assert names.index("create") < names.index("end test_untouched") < names.index("converge")

    def test_other_tests_come_after_the_second_converge(self, passed: Done) -> None:
        names = [event for event, _ in passed.events]
        after = names[names.index(REPEATED) :]
        assert {name for name in names if name.startswith("begin") and "untouched" not in name} <= set(after)

    def test_phases_are_seen_on_the_terminal_once(self, passed: Done) -> None:
        for phase in ("machines", "converge", "idempotence"):
            assert len(re.findall(rf"^\[ .* s\] {phase} done in", passed.output, re.MULTILINE)) == 1, phase

    def test_all_processes_leave_one_folder(self, passed: Done, suite: Project) -> None:
        (folder,) = suite.runs()
        assert (suite.directory / "artifacts" / "latest").resolve() == folder, passed.output
        results = ElementTree.parse(folder / "junit.xml").getroot()[0]
        assert results.get("tests") == "9"


def test_without_xdist_the_same_happens_in_one_process(tmp_path: Path) -> None:
    done = Project(tmp_path, test_a=OPENING, test_b=STORE, test_c=NETWORK).run("-p", "no:xdist")
    assert (done.code, done.outcomes()) == (0, "9 passed")
    assert done.phases() == ["create", "converge", REPEATED, "destroy"]


def test_machines_that_cannot_be_removed_are_the_end_of_the_run(tmp_path: Path) -> None:
    done = Project(tmp_path, test_b=STORE).run("-p", "no:xdist", fails="destroy")
    assert (done.code, done.outcomes()) == (14, "2 passed")
    assert "error: etcd-01: will not go" in done.output


def test_a_failed_converge_is_one_failure_and_what_needs_the_role_says_why(tmp_path: Path) -> None:
    project = Project(tmp_path, test_a=OPENING, test_b=STORE, test_c=NETWORK)
    done = project.run("-n2", "-rs", fails="converge")
    cause = "kube-worker-01: network : Start: no route"
    assert (done.code, done.outcomes()) == (15, "1 failed, 3 passed, 5 skipped")
    assert f"network did not converge: {cause}" in done.output
    assert len(re.findall(rf"^{cause}$", done.output, re.MULTILINE)) == 1, "the cause is to be told once"
    assert (done.count("converge"), done.count("destroy")) == (1, 0)
    assert "how to reach them" in done.output


def test_machines_that_do_not_come_up_end_the_run_once(tmp_path: Path) -> None:
    done = Project(tmp_path, test_b=STORE, test_c=NETWORK).run("-n2", "--pg-keep=never", fails="create")
    assert (done.code, done.outcomes()) == (14, "no tests ran")
    assert done.output.count("etcd-01: no answer") == 1
    assert "INTERNALERROR" not in done.output
    assert [event for event, _ in done.events] == ["create", "destroy"]


def test_a_failure_in_one_worker_keeps_the_machines(tmp_path: Path) -> None:
    failing = "import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_red(pg_converged, n): assert False"
    done = Project(tmp_path, test_b=STORE, test_c=failing, test_d=failing).run("-n2", "--pg-keep=failed")
    assert (done.code, done.outcomes()) == (1, "8 failed, 2 passed")
    assert done.count("destroy") == 0
    assert "the machines are up: how to reach them" in done.output
    assert done.output.count("(collected in") == 5, "evidence is limited for the run, not for each worker"


def test_all_processes_go_by_the_network_that_one_has_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IN_USE", "10.0.0.0/24")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    address = """
def test_address(pg_topology, pg_machines):
    assert str(pg_topology.node("etcd-01").address) == str(pg_machines.topology.node("etcd-01").address) == "10.7.0.101"
"""
    done = Project(tmp_path, test_b=address, test_c=address).run("-n2", "--pg-keep=always")
    assert (done.code, done.outcomes()) == (0, "2 passed"), done.output
    assert {worker for event, worker in done.events if event == "create"} <= {"gw0", "gw1"}
    assert re.search(r"ssh -F \S+ etcd-01 +# 10\.7\.0\.101", done.output), done.output
    assert re.search(r"^  pytest --pg-reuse$", done.output, re.MULTILINE), "the next run finds them where they are"


def test_disruptive_tests_have_no_other_beside_them(tmp_path: Path) -> None:
    """With xdist's own distribution every worker has some of each kind all the time."""
    test = """
import pytest
from pathlib import Path
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until

INSIDE = Path(__file__).with_name("inside")

def others(name):
    found = [path.name for path in INSIDE.iterdir() if path.name != name]
    if not found:
        raise NotReady("there is nobody else")
    return found

@pytest.fixture
def inside(pg_converged, request):
    INSIDE.mkdir(exist_ok=True)
    (INSIDE / request.node.name).touch()
    yield request.node.name
    (INSIDE / request.node.name).unlink()

@pytest.mark.parametrize("n", range(20))
def test_ordinary(inside, n): pass

@pytest.mark.disruptive
@pytest.mark.parametrize("n", range(8))
def test_disruptive(inside, n):
    with pytest.raises(WaitTimeoutError):
        wait_until("somebody else is there", lambda: others(inside), timeout=0.1, interval=0.01)
"""
    done = Project(tmp_path, test_b=test).run("-n2", "--dist=worksteal")
    assert (done.code, done.outcomes()) == (0, "28 passed"), done.output
    assert (done.count("create"), done.count("converge"), done.count("destroy")) == (1, 1, 1)


KILLED = """
import os, signal

def test_killed(pg_converged, noted): os.kill(os.getpid(), signal.SIGKILL)
def test_after(pg_converged, noted): pass
"""


def test_a_killed_worker_costs_one_test_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = Project(tmp_path, test_b=KILLED, test_c=NETWORK).run("-n2", "--pg-keep=never")
    assert (done.code, done.outcomes()) == (1, "1 failed, 3 passed")
    assert (done.count("begin test_killed"), done.count("end test_after")) == (1, 1)
    assert (done.count("create"), done.count("converge"), done.count("destroy")) == (1, 1, 1)
    assert done.events[-1] == ("destroy", "-")


WAITING = """
def test_waits(pg_converged, noted): noted("never")
"""


def test_an_interrupted_run_removes_the_machines_when_its_workers_have_gone(tmp_path: Path) -> None:
    project = Project(tmp_path, test_b=WAITING, test_c=WAITING)
    with project.started("-n2") as process:
        project.wait_for("begin test_waits")
        process.terminate()
        done = project.ended(process)
    assert done.code == 2, done.output
    assert done.events[-1] == ("destroy", "-")
    assert Ledger(tmp_path / ".proving-ground").read() is None


def controller(directory: Path, collected: object) -> tuple[SimpleNamespace, Shared]:
    """A worker as xdist's controller sees it when the worker has collected its tests, and what they share."""
    shared = Shared(directory)
    shared.keep(PLAN, collected)
    settings = Settings(directory, "run")
    config: Any = SimpleNamespace(stash=pytest.Stash())
    plan = load(ROOT / "topology", "default")
    config.stash[RUN] = Run(config, settings, plan, Timeline.of(settings), shared=shared)
    return SimpleNamespace(config=config), shared


def test_a_checkout_in_use_ends_the_run_before_its_tests(tmp_path: Path) -> None:
    node, shared = controller(tmp_path, ({"test_a.py::test_x": "test_a.py"}, True))
    with locked(tmp_path / ".proving-ground"), pytest.raises(pytest.exit.Exception, match="in use by") as caught:
        pytest_xdist_node_collection_finished(node)
    assert caught.value.returncode == 17
    assert not shared.kept(HELD)


def test_tests_without_machines_do_not_need_the_checkout(tmp_path: Path) -> None:
    node, shared = controller(tmp_path, ({"test_a.py::test_x": "test_a.py"}, False))
    with locked(tmp_path / ".proving-ground"):
        pytest_xdist_node_collection_finished(node)
    assert not shared.kept(HELD)


GROUPED = """
import pytest

def test_pure(): pass
def test_ordinary(pg_machines): pass
@pytest.mark.disruptive
def test_disruptive(pg_machines): pass
@pytest.mark.xdist_group("mesh")
def test_grouped(pg_machines): pass
@pytest.mark.xdist_group(name="mesh")
def test_named(pg_machines): pass
@pytest.mark.lifecycle
def test_phase(pg_lifecycle): pass
@pytest.mark.before_converge
def test_early(pg_machines): pass
"""


@pytest.mark.parametrize(("reuse", "early"), [(False, "opening"), (True, "test_x.py")])
def test_tests_are_grouped_by_their_markers_or_else_by_file(
    planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, reuse: bool, early: str
) -> None:
    planned.makepyfile(test_x=GROUPED)
    found: dict[str, str] = {}
    finish = "proving_ground.plugin.xdist.workers.pytest_collection_finish"
    monkeypatch.setattr(
        finish, lambda session: found.update({item.name: group(item) for item in session.items}), raising=True
    )
    planned.runpytest("--collect-only", "-p", "no:cacheprovider", *(["--pg-reuse"] if reuse else []))
    assert found == {
        "test_pure": "test_x.py::test_pure",
        "test_ordinary": "test_x.py",
        "test_disruptive": "disruptive",
        "test_grouped": "mesh",
        "test_named": "mesh",
        "test_phase": early,
        "test_early": early,
    }
