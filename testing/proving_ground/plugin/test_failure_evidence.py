"""Evidence: collected from all places at once, in bounded time, and never in the way of the failure itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from proving_ground.core.timeouts import USUAL
from proving_ground.diagnostics.collectors import Collector, Seen, take
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.plugin.failure_evidence import collect, folder_name

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]


def test_a_look_shows_both_outputs_of_a_command() -> None:
    assert take(Collector("x", ["sh", "-s"], "echo one; echo two >&2")) == Seen("one\ntwo\n")


def test_a_look_that_fails_says_so_beside_what_it_has_seen() -> None:
    assert take(Collector("x", ["sh", "-c", "echo seen; exit 3"])) == Seen("seen\n", "ended with 3")


def test_a_look_without_its_program_says_so() -> None:
    assert take(Collector("x", ["/no/such/program"])).trouble.startswith("could not run: ")


def test_a_slow_look_keeps_what_it_has_seen() -> None:
    seen = take(Collector("x", ["sh", "-c", "echo seen; exec sleep 9"]), seconds=0.3)
    assert seen.text == "seen\n"
    assert "did not come within" in seen.trouble


def test_evidence_says_where_it_may_not_be_all(tmp_path: Path) -> None:
    collect([Collector("x", ["sh", "-c", "echo seen; exit 3"])], tmp_path, USUAL)
    assert (tmp_path / "x.txt").read_text(encoding="utf-8") == "seen\n\n(ended with 3)\n"


def test_all_collectors_run_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for all the others: one after the other, the first would wait in vain."""
    count = 6
    waits = f'touch "here-$0"; until [ "$(ls here-* | wc -l)" -eq {count} ]; do sleep 0.02; done; echo met'
    script = f"cd {tmp_path} && {waits}"
    wanted = [Collector(f"one-{number}", ["sh", "-c", script, str(number)]) for number in range(count)]
    collect(wanted, tmp_path / "evidence", USUAL)
    assert [file.read_text(encoding="utf-8") for file in (tmp_path / "evidence").iterdir()] == ["met\n"] * count


def test_secrets_do_not_get_into_evidence(tmp_path: Path) -> None:
    collect([Collector("log", ["echo", "password=correct-horse"])], tmp_path, USUAL)
    assert "correct-horse" not in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_nothing_to_look_at_is_no_failure(tmp_path: Path) -> None:
    assert collect([], tmp_path, USUAL) < 1


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("tests/configure/test_flannel.py::test_runs[kube-worker-01]", "test_flannel-test_runs-kube-worker-01"),
        ("tests/test_x.py::test_y[a/b c]", "test_x-test_y-a-b-c"),
        ("tests/test_x.py::test_y", "test_x-test_y"),
    ],
)
def test_a_folder_is_named_after_its_test(nodeid: str, name: str) -> None:
    assert folder_name(nodeid) == name


CONFTEST = """
import pytest
from proving_ground.diagnostics.collectors import Collector


@pytest.fixture(scope="session")
def pg_machines():
    return None


@pytest.fixture
def broken(pg_machines):
    raise RuntimeError("no such thing")


def pytest_proving_ground_collectors(item):
    return [Collector("added", ["echo", "seen by hand"])]
"""


@pytest.fixture
def project(planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    Ledger(planned.path / ".proving-ground").write(Record("run", "default", "docker", phase="created"))
    ssh = planned.path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\necho "asked: $*"\n', encoding="utf-8")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")
    planned.makeconftest(CONFTEST)
    return planned


def evidence(project: pytest.Pytester) -> dict[str, list[str]]:
    folders = [path for run in project.path.glob("artifacts/2*") for path in run.iterdir() if path.is_dir()]
    return {folder.name: sorted(file.name for file in folder.iterdir()) for folder in folders}


def test_a_failed_test_leaves_a_file_for_each_machine_and_what_the_project_adds(project: pytest.Pytester) -> None:
    project.makepyfile(test_x="def test_y(pg_machines): assert False")
    result = project.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    machines = ["etcd-01.txt", "kube-master-01.txt", "kube-worker-01.txt", "kube-worker-02.txt"]
    assert evidence(project) == {"test_x-test_y": ["added.txt", *machines]}
    result.stdout.fnmatch_lines(["*- evidence -*", "artifacts/*/test_x-test_y (collected in * s)"])


def test_only_machines_that_the_test_is_about_are_looked_at(project: pytest.Pytester) -> None:
    test = (
        "import pytest\n@pytest.mark.parametrize('on', ['kube-worker-02'])\ndef test_y(pg_machines, on): assert False"
    )
    project.makepyfile(test_x=test)
    project.runpytest("-p", "no:cacheprovider")
    assert evidence(project) == {"test_x-test_y-kube-worker-02": ["added.txt", "kube-worker-02.txt"]}


def test_a_fixture_that_fails_is_looked_into_as_well(project: pytest.Pytester) -> None:
    project.makepyfile(test_x="def test_y(broken): pass")
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(errors=1)
    assert list(evidence(project)) == ["test_x-test_y"]


@pytest.mark.parametrize("test", ["def test_y(machines): pass", "def test_y(): assert False"])
def test_a_test_that_passes_or_has_no_machines_leaves_none(project: pytest.Pytester, test: str) -> None:
    project.makepyfile(test_x=test)
    project.runpytest("-p", "no:cacheprovider")
    assert evidence(project) == {}


def test_only_the_first_failures_are_looked_into(project: pytest.Pytester) -> None:
    lines = ["import pytest", "@pytest.mark.parametrize('n', range(9))", "def test_y(pg_machines, n): assert False"]
    project.makepyfile(test_x="\n".join(lines))
    start = time.monotonic()
    result = project.runpytest("-p", "no:cacheprovider")
    assert len(evidence(project)) == 5
    assert time.monotonic() - start < 30
    result.stdout.fnmatch_lines(["none: 5 earlier failures have evidence, the most in one run"])
