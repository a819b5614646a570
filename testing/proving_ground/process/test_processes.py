"""Processes are found by what they are, never by what they are called, and ended with whatever they have started."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from proving_ground.core.polling import NotReady, wait_until
from proving_ground.process import processes

SLEEP = ("sleep", "300")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session of its own."""
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


def test_what_has_been_recorded_is_found_again(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    processes.record(tmp_path / "made" / "sleep.json", sleeper.pid)
    found = processes.recorded(tmp_path / "made" / "sleep.json")
    assert found is not None
    assert found.pid == sleeper.pid


def test_a_number_that_has_been_given_to_another_process_is_not_believed(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    file = tmp_path / "sleep.json"
    created = psutil.Process(sleeper.pid).create_time()
    file.write_text(json.dumps({"pid": sleeper.pid, "created": created - 60}), encoding="ascii")
    assert processes.recorded(file) is None


@pytest.mark.parametrize("text", ["", "4711", "[]", "{}", '{"pid": "x", "created": 0}', "no json", "{"])
def test_a_record_that_says_nothing_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text, encoding="ascii")
    assert processes.recorded(tmp_path / "file") is None
    assert processes.recorded(tmp_path / "absent") is None


def test_a_process_that_has_ended_is_not_alive_before_anybody_has_asked_for_it(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    processes.record(tmp_path / "file", sleeper.pid)
    process = psutil.Process(sleeper.pid)
    assert processes.is_alive(process)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process.status() == psutil.STATUS_ZOMBIE
    assert not processes.is_alive(process)
    assert processes.recorded(tmp_path / "file") is None


def test_a_session_is_ended_with_those_whose_parents_have_gone(tmp_path: Path) -> None:
    script = f"(sleep 300 & echo $! >{tmp_path}/orphan); exec sleep 300"
    leader = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    session = psutil.Process(leader.pid)
    orphan = psutil.Process(written(tmp_path / "orphan"))
    assert {leader.pid, orphan.pid} <= {process.pid for process in processes.in_session(session)}
    processes.end(lambda: processes.in_session(session), grace=5)
    assert leader.wait(timeout=10) != 0, "its exit status has been taken from the one who started it"
    assert not processes.is_alive(orphan)
    assert processes.in_session(session) == []


def test_a_session_outlives_its_leader_and_is_still_found(tmp_path: Path) -> None:
    leader = subprocess.Popen(["sh", "-c", f"sleep 300 & echo $! >{tmp_path}/left"], start_new_session=True)
    session = psutil.Process(leader.pid)
    leader.wait(timeout=10)
    assert [process.pid for process in processes.in_session(session)] == [written(tmp_path / "left")]
    assert processes.end(lambda: processes.in_session(session), grace=5) == 1


def test_the_session_of_another_who_has_got_the_number_is_left_alone(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = psutil.Process(sleeper.pid)
    assert [process.pid for process in processes.in_session(leader)] == [sleeper.pid]
    monkeypatch.setattr(leader, "_ident", (sleeper.pid, 0.0))  # as if it had been found long ago
    assert processes.in_session(leader) == []


def test_who_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    script = f"trap '' TERM; echo $$ >{tmp_path}/ready; while :; do sleep 0.05; done"
    stubborn = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    session = psutil.Process(written(tmp_path / "ready"))
    start = time.monotonic()
    processes.end(lambda: processes.in_session(session), grace=0.3)
    assert time.monotonic() - start >= 0.3, "it has been given no time"
    assert stubborn.wait(timeout=10) == -9


def test_without_patience_nobody_is_asked(tmp_path: Path) -> None:
    script = f"trap 'echo asked >{tmp_path}/asked; exit' TERM; echo $$ >{tmp_path}/ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    session = psutil.Process(written(tmp_path / "ready"))
    processes.end(lambda: processes.in_session(session), grace=0)
    assert process.wait(timeout=10) == -9
    assert not (tmp_path / "asked").exists()


def test_a_process_is_found_by_a_variable_and_not_by_words_of_its_command() -> None:
    name, value = "PROVING_GROUND_UNIT", f"unit-{time.monotonic_ns()}"
    marked = subprocess.Popen(SLEEP, env={"PATH": os.environ["PATH"], name: f"{value}/1"})
    alike = subprocess.Popen(["sh", "-c", f"sleep 300; : {name}={value}/1"])
    try:
        assert [each.pid for each in processes.carrying(name, value, whole=False)] == [marked.pid]
        assert processes.carrying(name, value) == []
        assert [each.pid for each in processes.carrying(name, f"{value}/1")] == [marked.pid]
    finally:
        for process in (marked, alike):
            process.kill()
            process.wait()


def written(path: Path) -> int:
    """The number that a program writes to a file as soon as it is up."""

    def number() -> int:
        if not path.exists() or not (text := path.read_text(encoding="ascii").strip()):
            raise NotReady("it is not there")
        return int(text)

    return wait_until(f"{path.name} is written", number, timeout=10, interval=0.02)
