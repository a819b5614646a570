"""ReadWriteLock at the machines: many at once or one alone, and nobody is overtaken for ever."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from proving_ground.core.polling import NotReady, wait_until
from proving_ground.plugin.xdist.rwlock import ReadWriteLock

ROOT = Path(__file__).parents[4]


def is_free(file: Path, kind: int) -> bool:
    """Whether somebody else could have the lock on ``file`` now; threads with files of their own are like processes."""
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def room_for_others(directory: Path) -> bool:
    return is_free(directory / "room", fcntl.LOCK_SH)


def test_tests_are_beside_each_other(tmp_path: Path) -> None:
    with ReadWriteLock(tmp_path).shared(), ReadWriteLock(tmp_path).shared():
        assert not is_free(tmp_path / "room", fcntl.LOCK_EX)
    assert is_free(tmp_path / "room", fcntl.LOCK_EX)


def test_one_alone_has_nobody_beside_him(tmp_path: Path) -> None:
    with ReadWriteLock(tmp_path).exclusive():
        assert not room_for_others(tmp_path)
    assert room_for_others(tmp_path)


def test_a_turn_alone_within_a_turn_alone_is_the_same_turn(tmp_path: Path) -> None:
    lock = ReadWriteLock(tmp_path)
    with lock.exclusive():
        with lock.exclusive():
            pass
        assert not room_for_others(tmp_path)


def test_two_who_are_there_and_both_want_to_be_alone_do_not_wait_for_each_other(tmp_path: Path) -> None:
    together: list[str] = []

    def becomes_alone(name: str) -> None:
        lock = ReadWriteLock(tmp_path)
        with lock.shared():
            together.append(name)
            wait_until("both are there", lambda: both_are_there(together), timeout=10, interval=0.01)
            with lock.exclusive():
                pass
            assert not is_free(tmp_path / "room", fcntl.LOCK_EX), "it has not taken its turn beside others again"

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(becomes_alone, name) for name in ("one", "other")]:
            done.result(timeout=20)


def both_are_there(names: list[str]) -> None:
    if len(names) < 2:
        raise NotReady(f"there are {names}")


def test_nobody_overtakes_one_who_wants_to_be_alone(tmp_path: Path) -> None:
    came: list[str] = []

    def has(turn: AbstractContextManager[None], name: str) -> None:
        with turn:
            came.append(name)

    def someone_is_in_the_gate() -> None:
        if is_free(tmp_path / "gate", fcntl.LOCK_EX):
            raise NotReady("it is free")

    with ThreadPoolExecutor(2) as threads:
        with ReadWriteLock(tmp_path).shared():
            writer = threads.submit(has, ReadWriteLock(tmp_path).exclusive(), "exclusive")
            wait_until("one waits to be alone", someone_is_in_the_gate, timeout=10, interval=0.01)
            newcomer = threads.submit(has, ReadWriteLock(tmp_path).shared(), "newcomer")
        writer.result(timeout=20)
        newcomer.result(timeout=20)
    assert came == ["exclusive", "newcomer"]


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from proving_ground.plugin.xdist.rwlock import ReadWriteLock
with ReadWriteLock(Path({str(tmp_path)!r})).exclusive():
    print("exclusive", flush=True)
    input()
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "exclusive\n"
        assert not room_for_others(tmp_path)
        process.kill()
        process.wait(timeout=10)
        assert room_for_others(tmp_path)


@pytest.mark.parametrize("kind", ["exclusive", "shared"])
def test_who_waits_for_a_turn_can_be_interrupted(tmp_path: Path, kind: str) -> None:
    program = f"""
from pathlib import Path
from proving_ground.plugin.xdist.rwlock import ReadWriteLock
print("begins", flush=True)
with ReadWriteLock(Path({str(tmp_path)!r})).{kind}():
    print("has it", flush=True)
"""

    def waits() -> None:
        if is_free(tmp_path / "gate", fcntl.LOCK_EX):
            raise NotReady("it is not in the gate")

    pipe = subprocess.PIPE
    with (
        ReadWriteLock(tmp_path).exclusive(),
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            wait_until("it waits for its turn", waits, timeout=20, interval=0.01)
            process.send_signal(signal.SIGINT)
            output, words = process.communicate(timeout=20)  # while the turn is still another's
        finally:
            process.kill()
        assert (output, words.splitlines()[-1]) == ("", "KeyboardInterrupt")


def test_an_error_ends_the_turn(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), ReadWriteLock(tmp_path).exclusive():
        raise RuntimeError("in the middle")
    assert room_for_others(tmp_path)
