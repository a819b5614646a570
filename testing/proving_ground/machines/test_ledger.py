"""The ledger survives its writer, and the lock keeps a second run out."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from proving_ground.core.errors import LockError
from proving_ground.machines.ledger import Ledger, Record, locked, this_process

ROOT = Path(__file__).parents[3]


def test_what_is_written_is_read_by_another_process(tmp_path: Path) -> None:
    Ledger(tmp_path).write(Record("run-1", "default", "docker", "10.7.0", network="net", phase="created"))
    assert Ledger(tmp_path).read() == Record("run-1", "default", "docker", "10.7.0", network="net", phase="created")


def test_nothing_written_reads_as_nothing(tmp_path: Path) -> None:
    assert Ledger(tmp_path).read() is None


def test_an_update_changes_one_field(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(Record("run-1", "default", "docker"))
    assert ledger.update(phase="created") == Record("run-1", "default", "docker", phase="created")
    assert ledger.read() == Record("run-1", "default", "docker", phase="created")


def test_an_update_of_nothing_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        Ledger(tmp_path).update(phase="created")


def test_a_cleared_ledger_reads_as_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(Record("run-1", "default", "docker"))
    ledger.clear()
    assert ledger.read() is None


def test_a_record_of_a_later_version_can_still_be_cleaned_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.path.write_text('{"run_id": "1", "topology": "single", "provider": "docker", "new": 1}', encoding="utf-8")
    assert ledger.read() == Record("1", "single", "docker")


def test_a_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    imports = "from pathlib import Path; from proving_ground.machines.ledger import locked"
    second = f"{imports}; locked(Path({str(tmp_path)!r})).__enter__()"
    with locked(tmp_path):
        result = subprocess.run([sys.executable, "-c", second], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    said = result.stderr.splitlines()[-1]
    assert f"LockError: this checkout is in use by process {os.getpid()} (`{shlex.join(sys.orig_argv)[:100]}" in said
    assert re.search(r"`\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ — wait for it to end, or stop it$", said)


def test_a_long_command_is_told_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["pytest", *(f"tests/test_{number}.py" for number in range(1000))])
    assert "(`pytest tests/test_0.py " in this_process()
    assert len(this_process()) < 300


def test_the_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), locked(tmp_path):
        raise RuntimeError("in the middle")
    with locked(tmp_path):
        pass


def test_a_lock_error_has_its_own_exit_code() -> None:
    assert LockError("x").exit_code == 17
