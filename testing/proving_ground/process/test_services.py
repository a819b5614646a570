"""Daemons that were started are found and ended by what they are; another that has got their number is left alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from proving_ground.core.progress import Progress
from proving_ground.process import services


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "proving-ground"


@pytest.fixture
def daemon(cache: Path) -> Iterator[psutil.Process]:
    """One that has been started as a service, under a name that it does not show."""
    services.start(
        "test daemon",
        {"netherd": [sys.executable, "-c", "import time; time.sleep(300)"]},
        where="here",
        log=cache / "log",
        refusal=lambda: None,
        progress=Progress(io.StringIO()),
    )
    process = services.running(["netherd"])["netherd"]
    yield process
    if process.is_running():
        process.kill()


def test_what_was_started_is_found_whatever_it_is_called_and_ended(daemon: psutil.Process) -> None:
    assert services.running(["other", "netherd"]) == {"netherd": daemon}
    services.stop({"netherd": daemon})
    assert services.running(["netherd"]) == {}


def test_a_process_that_has_got_a_daemons_number_is_no_daemon(cache: Path, daemon: psutil.Process) -> None:
    file = cache / "netherd.json"
    content = json.loads(file.read_text(encoding="ascii"))
    # Of the same name, even.
    with subprocess.Popen([sys.executable, "-c", "input()", "netherd"], stdin=subprocess.PIPE) as stranger:
        file.write_text(json.dumps({**content, "pid": stranger.pid, "created": 1.0}), encoding="ascii")
        assert services.running(["netherd"]) == {}
        assert stranger.poll() is None
        stranger.kill()
    assert daemon.is_running()


def test_ending_what_has_ended_meanwhile_is_no_error(daemon: psutil.Process) -> None:
    daemon.kill()
    daemon.wait(10)
    services.stop({"netherd": daemon})
