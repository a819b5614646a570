"""A program that outlives the run that started it is found by its trace, and ended with its children."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from fixtures.strays import MARK, end_marked, end_stray, leaving_trace, marked
from fixtures.wait import NotReady, wait_until


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def traced(trace: Path) -> int:
    def written() -> int:
        if not trace.exists() or not trace.read_text(encoding="ascii").strip():
            raise NotReady("no trace yet")
        return int(trace.read_text(encoding="ascii"))

    return wait_until("the program has left its trace", written, timeout=10, interval=0.02)


def test_a_stray_and_its_children_are_ended(tmp_path: Path) -> None:
    trace, child = tmp_path / "vagrant.pid", tmp_path / "child"
    script = f"sleep 300 & echo $! > {child}; wait"
    process = subprocess.Popen(leaving_trace(trace, ["sh", "-c", script], deadline=300))
    traced(trace)
    grandchild = traced(child)
    assert end_stray(trace, "sh")
    process.wait(timeout=10)
    assert not alive(grandchild)
    assert not trace.exists()


def test_a_program_that_will_not_end_is_killed(tmp_path: Path) -> None:
    trace, ready = tmp_path / "vagrant.pid", tmp_path / "ready"
    script = f"trap '' TERM INT; echo $$ > {ready}; while :; do sleep 0.1; done"
    process = subprocess.Popen(leaving_trace(trace, ["sh", "-c", script], deadline=300))
    traced(ready)
    assert end_stray(trace, "sh", patience=0.3)
    assert process.wait(timeout=10) != 0


def test_nothing_left_is_nothing_to_end(tmp_path: Path) -> None:
    assert not end_stray(tmp_path / "vagrant.pid", "vagrant")


def test_another_program_that_has_the_number_now_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        trace = tmp_path / "vagrant.pid"
        trace.write_text(f"{bystander.pid}\n", encoding="ascii")
        assert not end_stray(trace, "vagrant")
        assert bystander.poll() is None
        assert not trace.exists()
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("content", ["", "no number\n"])
def test_a_trace_that_says_nothing_is_removed(tmp_path: Path, content: str) -> None:
    trace = tmp_path / "vagrant.pid"
    trace.write_text(content, encoding="ascii")
    assert not end_stray(trace, "vagrant")
    assert not trace.exists()


def test_a_program_runs_under_its_deadline(tmp_path: Path) -> None:
    start = time.monotonic()
    command = leaving_trace(tmp_path / "vagrant.pid", ["sleep", "300"], deadline=1)
    assert subprocess.run(command, check=False).returncode == 124
    assert time.monotonic() - start < 10


def test_marked_programs_are_ended_wherever_they_went() -> None:
    mark = f"unit-{time.monotonic_ns()}"
    environment = {"PATH": "/usr/bin:/bin", MARK: mark}
    # As mitogen's workers do: a session of its own, whose parent ends first.
    parent = subprocess.Popen(["setsid", "--fork", "sleep", "300"], env=environment)
    parent.wait(timeout=10)

    def started() -> list[int]:
        if not (found := marked(mark)):
            raise NotReady("it has not started yet")
        return found

    [stray] = wait_until("the stray runs", started, timeout=10, interval=0.02)
    assert end_marked(mark) == 1
    assert not alive(stray)
    assert end_marked(mark) == 0
