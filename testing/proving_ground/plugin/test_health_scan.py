"""After a green run machines are asked what is amiss, before they are removed; that changes no verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proving_ground.core.errors import ConvergeError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.diagnostics.collectors import Collector, take
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.plugin import run
from proving_ground.plugin.run import Run

pytest_plugins = ["pytester"]

CONFTEST = """
from proving_ground.diagnostics.findings import Finding, HealthCheck
from proving_ground.diagnostics.collectors import Collector
"""

ADDS = """
def pytest_proving_ground_health_checks(config):
    read = lambda shown: [Finding("somewhere", "restarted", "default/x", shown.strip(), 2)]
    return [HealthCheck("cluster", "containers", Collector("cluster", ["echo", "token=correct-horse"]), read)]
"""

GREEN = "def test_y(pg_converged): pass"
QUIET = 'echo "$*" >>asked; echo all=told'
AMISS = QUIET + r"; printf 'Id=kubelet.service\nNRestarts=%s\n' 3"


class Life:
    """Machines that are there from the start; notes when they are removed."""

    created_here = True

    def __init__(self, settings: Settings, progress: object) -> None:  # noqa: ARG002 - as the real one
        self.directory = settings.root
        self.settings = settings
        self.ledger = Ledger(settings.state_directory)

    def create(self) -> Record:
        """They are there."""
        return self.ledger.update(phase="created")

    def is_ready(self, roles: object) -> bool:  # noqa: ARG002 - as the real one
        """They are."""
        return True

    def ensure_converged(self) -> None:
        """Note it."""
        self.ledger.update(phase="converged")

    def destroy(self) -> None:
        """Removed machines answer nobody."""
        with (self.directory / "asked").open("a") as file:
            file.write("removed\n")


class Project:
    """A project whose machines answer by ``does``."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def run(self, test: str, does: str, conftest: str = "", *options: str) -> pytest.RunResult:
        """Run one test on these machines."""
        ssh = self.pytester.path / "bin" / "ssh"
        ssh.write_text(f"#!/bin/sh\ncat >/dev/null\n{does}\n", encoding="utf-8")
        ssh.chmod(0o755)
        self.pytester.makeconftest(CONFTEST + conftest)
        self.pytester.makepyfile(test_x=test)
        return self.pytester.runpytest_inprocess("-p", "no:cacheprovider", *options, no_reraise_ctrlc=True)

    @property
    def events(self) -> list[str]:
        """Who was asked, and ``removed``, in their order."""
        file = self.pytester.path / "asked"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line.partition(" sudo ")[0].split()[-1] for line in lines]

    def data(self) -> dict[str, Any]:
        """What the run has left for programs to read."""
        (file,) = self.pytester.path.glob("artifacts/2*/findings.json")
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return content


@pytest.fixture
def project(planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    Ledger(planned.path / ".proving-ground").write(Record("run", "default", "docker", phase="created"))
    (planned.path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(planned.path / "bin"), prepend=":")
    monkeypatch.setattr(run, "Lifecycle", Life)
    return Project(planned)


MACHINES = ["etcd-01", "kube-master-01", "kube-worker-01", "kube-worker-02"]


def test_every_machine_is_asked_once_and_before_any_is_removed(project: Project) -> None:
    project.run(f"{GREEN}\ndef test_z(pg_converged): pass", QUIET).assert_outcomes(passed=2)
    *asked, last = project.events
    assert sorted(asked) == MACHINES
    assert last == "removed"


def test_nothing_amiss_is_one_line_that_says_so_and_machines_that_are_kept_are_asked_too(project: Project) -> None:
    result = project.run(GREEN, QUIET, "", "--pg-keep=always")
    assert sorted(project.events) == MACHINES
    result.stdout.fnmatch_lines(["no findings after a green run: journal; 4 machines, since boot, * s"])
    result.stdout.no_fnmatch_line("*= findings*")
    assert project.data()["findings"] == []


def test_findings_are_told_and_the_run_stays_green(project: Project) -> None:
    result = project.run(GREEN, AMISS, ADDS)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= findings after a green run: 5 =*",
            "kube-worker-01: restarted by itself: kubelet.service: (the journal does not say why) (3 times)",
            "somewhere: restarted: default/x: token=[[]removed] (2 times)",
            "(journal, containers; 4 machines, since boot, * s; *)",
        ]
    )
    result.stdout.no_fnmatch_line("*no findings*")
    assert [(each["host"], each["count"]) for each in project.data()["findings"]] == [
        *((name, 3) for name in MACHINES),
        ("somewhere", 2),
    ]


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("echo 'ssh: connect to host 10.0.0.1: refused'; exit 255", "ended with 255: ssh: connect to host*refused"),
        ("echo lacking=journal; echo all=told", "missing in the output: journal"),
        ("echo '{\"MESSAGE\": }'", "Expecting value*"),
    ],
)
def test_machine_that_could_not_be_asked_is_no_machine_without_findings(
    project: Project, does: str, reason: str
) -> None:
    result = project.run(GREEN, f"case $* in *etcd-01*) {does} ;; *) echo all=told ;; esac")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*= findings after a green run: 0 =*", f"not or only partly scanned: etcd-01: journal: {reason}"]
    )
    result.stdout.no_fnmatch_line("*no findings*")
    result.stdout.no_fnmatch_line("*not all of it: kube*")


def test_machine_that_does_not_answer_is_not_waited_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "timeouts", Timeouts(0.1))
    result = project.run(GREEN, "case $* in *etcd-01*) exec sleep 60 ;; *) echo all=told ;; esac")
    result.stdout.fnmatch_lines(["not or only*: etcd-01: journal: the rest did not come within*"])
    assert project.data()["seconds"] < 30


def test_machine_with_a_long_journal_has_more_time_than_one_whose_test_has_failed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "timeouts", Timeouts(0.1))
    result = project.run(GREEN, "sleep 1; echo all=told")
    result.stdout.fnmatch_lines(["no findings after a green run*"])
    assert take(Collector("etcd-01", ["sleep", "1"]), Timeouts(0.1)).trouble == "the rest did not come within 0.45 s"


@pytest.mark.parametrize(
    ("conftest", "reason"),
    [
        (ADDS.replace("shown.strip()", "shown.no_such_method()"), "cluster: containers: *no_such_method*"),
        (
            "def pytest_proving_ground_health_checks(config): return 1 / 0",
            "pytest_proving_ground_health_checks: division by*",
        ),
    ],
)
def test_mistake_of_the_project_is_told_and_the_machines_are_asked_all_the_same(
    project: Project, conftest: str, reason: str
) -> None:
    result = project.run(GREEN, AMISS, conftest)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*findings after a green run: 4*", f"not or only partly scanned: {reason}"])


BROKEN_OFF = "def test_y(pg_converged):\n    raise KeyboardInterrupt"
STOPPED = "import pytest\ndef test_y(pg_converged): pytest.exit('enough')"


@pytest.mark.parametrize(
    "test",
    ["def test_y(converged): assert False", "def test_y(pg_machines): pass", BROKEN_OFF, STOPPED],
)
def test_red_run_or_one_without_converged_machines_is_not_scanned(project: Project, test: str) -> None:
    result = project.run(test, AMISS)
    assert set(project.events) <= {"removed"}
    result.stdout.no_fnmatch_line("*findings*")


def test_failed_converge_is_not_scanned(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Life) -> None:  # noqa: ARG001 - a method
        raise ConvergeError("no route", play="Second", role="network")

    monkeypatch.setattr(Life, "ensure_converged", fails)
    result = project.run("def test_y(pg_converged): pass", AMISS)
    assert result.ret == 15
    assert project.events == []
