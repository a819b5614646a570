"""The lock keeps a second run out; whoever holds it and has been told to end is waited for by what may wait."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proving_ground.core.errors import LockError
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.machines import lock as lock_module
from proving_ground.machines.lock import locked, this_process

ROOT = Path(__file__).parents[3]

HOLDER = """
import sys, time
from pathlib import Path
from proving_ground.machines.lock import locked
with locked(Path(sys.argv[1])):
    try:
        print("holds", flush=True)
        time.sleep(300)
    except KeyboardInterrupt:
        time.sleep(float(sys.argv[2]))  # as if it removed machines
"""


def holder(directory: Path, seconds: float) -> subprocess.Popen[str]:
    """A process that holds the lock, and takes so many seconds to end when it is told to."""
    command = [sys.executable, "-c", HOLDER, str(directory), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    return process


@pytest.fixture
def ending(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A holder that has been told to end, and takes seconds for it."""
    with holder(tmp_path, request.param) as process:
        process.terminate()

        def noted() -> None:
            if "told to end" not in (tmp_path / "lock.holder").read_text(encoding="utf-8"):
                raise NotReady("it has not noted it")

        wait_until("the holder has been told to end", noted, timeout=10, interval=0.01)
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    imports = "from pathlib import Path; from proving_ground.machines.lock import locked"
    second = f"{imports}; locked(Path({str(tmp_path)!r})).__enter__()"
    with locked(tmp_path):
        result = subprocess.run(
            [sys.executable, "-c", second], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    assert result.returncode != 0
    said = result.stderr.splitlines()[-1]
    assert f"LockError: this checkout is in use by process {os.getpid()} (`{shlex.join(sys.orig_argv)[:100]}" in said
    assert re.search(r"`\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ — wait for it to end, or stop it: `", said)
    assert said.endswith(f": `kill {os.getpid()}`")


def test_a_long_command_is_told_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["pytest", *(f"tests/test_{number}.py" for number in range(1000))])
    assert "(`pytest tests/test_0.py " in this_process()
    assert len(this_process()) < 300


def test_the_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), locked(tmp_path):
        raise RuntimeError("in the middle")
    with locked(tmp_path):
        pass


CHILD = '''
import subprocess, sys
from pathlib import Path
from proving_ground.machines.lock import locked
inner = """
from pathlib import Path
from proving_ground.machines.lock import locked
with locked(Path({!r}), {}):
    print("in")
"""
with locked(Path(sys.argv[1])):
    for options in ("within_holder=True", "within_holder=False"):
        command = [sys.executable, "-c", inner.format(sys.argv[1], options)]
        print(subprocess.run(command, capture_output=True, text=True).stdout.strip() or "refused")
'''


def test_a_process_that_the_holder_has_started_needs_no_lock_of_its_own_if_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["in", "refused"], done.stderr
    with locked(tmp_path):
        pass


def test_a_stranger_is_refused_also_if_it_would_do_without_a_lock(tmp_path: Path) -> None:
    with holder(tmp_path, 0) as process:
        with pytest.raises(LockError), locked(tmp_path, within_holder=True):
            pass
        process.kill()


def test_a_lock_error_has_its_own_exit_code() -> None:
    assert LockError("x").exit_code == 17


@pytest.mark.parametrize("ending", [1.5], indirect=True)
def test_a_holder_that_has_been_told_to_end_is_waited_for(tmp_path: Path, ending: subprocess.Popen[str]) -> None:
    said: list[str] = []
    start = time.monotonic()
    with locked(tmp_path, awaited=said.append):
        assert time.monotonic() - start > 0.3, "it has not been waited for"
        assert f"process {os.getpid()}" in (tmp_path / "lock.holder").read_text(encoding="utf-8")
    assert ending.wait(timeout=10) == 0
    [line] = said
    assert re.match(rf"waiting for process {ending.pid} \(`.*`\) since .*, told to end at \d{{4}}-", line), line


@pytest.mark.parametrize("ending", [30], indirect=True)
def test_whoever_may_not_wait_is_refused_all_the_same(tmp_path: Path, ending: subprocess.Popen[str]) -> None:
    with pytest.raises(LockError, match=rf"in use by process {ending.pid} "), locked(tmp_path):
        pass


@pytest.mark.parametrize("ending", [30], indirect=True)
def test_a_holder_that_does_not_end_is_given_up(
    tmp_path: Path, ending: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "ENDING_SECONDS", 0.6)
    with pytest.raises(LockError, match=rf"told to end at .*: `kill -9 {ending.pid}`$"):
        locked(tmp_path, awaited=lambda _: None).__enter__()


def test_a_holder_that_has_not_been_told_is_not_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    with holder(tmp_path, 0) as process:
        try:
            with pytest.raises(LockError, match=rf": `kill {process.pid}`$"):
                locked(tmp_path, awaited=said.append).__enter__()
            assert said == []
        finally:
            process.kill()


def test_the_handlers_of_before_are_back_afterwards(tmp_path: Path) -> None:
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(kind) for kind in kinds]
    with locked(tmp_path):
        assert all(signal.getsignal(kind) not in before for kind in kinds)
    assert [signal.getsignal(kind) for kind in kinds] == before
