"""A program that outlives the run that started it is found by its mark, and ended with its children."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.progress import Progress
from proving_ground.machines.vagrant_client import Client
from proving_ground.process import services
from proving_ground.process.processes import carrying
from proving_ground.process.reaper import MARK, RUN, end_marked, end_runs, mark_of_run


@pytest.fixture
def mark() -> str:
    """A mark that no other test has."""
    return f"unit-{time.monotonic_ns()}"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def environment(mark: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", MARK: mark}


def written(path: Path) -> int:
    def number() -> int:
        if not path.exists() or not path.read_text(encoding="ascii").strip():
            raise NotReady(f"{path.name} is not written yet")
        return int(path.read_text(encoding="ascii"))

    return wait_until(f"{path.name} is written", number, timeout=10, interval=0.02)


def test_a_stray_and_its_children_are_ended(tmp_path: Path, mark: str) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/child; wait"
    process = subprocess.Popen(["timeout", "300", "sh", "-c", script], env=environment(mark))
    grandchild = written(tmp_path / "child")
    assert end_marked(mark) == 3
    process.wait(timeout=10)
    assert not alive(grandchild)


def test_a_program_that_will_not_end_is_killed(tmp_path: Path, mark: str) -> None:
    script = f"trap '' TERM INT; echo $$ > {tmp_path}/ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(["sh", "-c", script], env=environment(mark))
    written(tmp_path / "ready")
    assert end_marked(mark, grace=0.3) >= 1
    assert process.wait(timeout=10) != 0


def test_nothing_left_is_nothing_to_end(mark: str) -> None:
    assert end_marked(mark) == 0


def test_a_program_of_another_checkout_is_left_alone(mark: str) -> None:
    bystander = subprocess.Popen(["sleep", "300"], env=environment(f"{mark}-other"))
    try:
        assert end_marked(mark) == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_marked_programs_are_ended_wherever_they_went(mark: str) -> None:
    # As mitogen's workers do: a session of its own, whose parent ends first.
    parent = subprocess.Popen(["setsid", "--fork", "sleep", "300"], env=environment(mark))
    parent.wait(timeout=10)

    def started() -> list[int]:
        if not (found := carrying(MARK, mark)):
            raise NotReady("it has not started yet")
        return [process.pid for process in found]

    [stray] = wait_until("the stray runs", started, timeout=10, interval=0.02)
    assert end_marked(mark) == 1
    assert not alive(stray)
    assert end_marked(mark) == 0


def test_vagrant_runs_under_its_deadline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client = Client(str(tmp_path))
    monkeypatch.setattr(client, "_vagrant_exe", "sleep")
    client.deadline = 1
    start = time.monotonic()
    assert subprocess.run(client._make_vagrant_command(["300"]), check=False).returncode == 124
    assert time.monotonic() - start < 10


def test_what_any_run_of_a_checkout_has_left_is_ended_and_no_other_checkouts(mark: str) -> None:
    def started(checkout: str, run: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "300"], env={"PATH": "/usr/bin:/bin", RUN: mark_of_run(checkout, run)})

    ours = [started(mark, "run-1"), started(mark, "run-2")]
    bystander = started(f"{mark}0", "run-1")
    try:
        assert end_runs(mark) == 2
        assert [process.wait(timeout=10) != 0 for process in ours] == [True, True]
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_daemon_that_a_run_starts_outlives_it(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN, mark_of_run(mark, "run-1"))
    started = tmp_path / "started"
    script = f"echo $$ > {started}; exec sleep 300"
    services.start(
        "test daemon",
        {"sh": ["sh", "-c", script]},
        where="here",
        log=tmp_path / "log",
        refusal=lambda: None if started.exists() else "not yet",
        progress=Progress(io.StringIO()),
    )
    daemon = written(started)
    try:
        assert end_runs(mark) == 0
        assert alive(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)
