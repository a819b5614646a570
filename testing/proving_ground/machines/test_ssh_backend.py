"""A command on a machine has a deadline: a frozen ssh fails one test in words that name host, command and seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from testinfra.host import Host

from proving_ground.core.errors import MachineError
from proving_ground.core.settings import Settings
from proving_ground.core.topology import load
from proving_ground.machines import ssh_backend
from proving_ground.machines.hosts import Hosts
from proving_ground.process.processes import is_alive

ROOT = Path(__file__).parents[3]

SSH = """#!/bin/sh
for word; do last=$word; done
case "$last" in
    *freeze*) echo $$ >"$HERE/pid"; sleep 300 & wait ;;
    *leave*) sleep 300 & echo $! >"$HERE/left"; echo done ;;
    *refuse*) echo "ssh: no route to host" >&2; exit 255 ;;
    *) sh -c "$(echo "$last" | sed 's/^sudo //')" ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_on_path: Callable[[str, str], None]) -> Host:
    """A machine behind an ssh that runs commands here, or freezes where it is asked to."""
    put_on_path("ssh", SSH)
    monkeypatch.setenv("HERE", str(tmp_path))
    return Hosts(Settings(tmp_path, "run-1"), load(ROOT / "topology", "default"))["etcd-01"]


def test_a_command_ends_with_its_output_and_status(machine: Host) -> None:
    done = machine.run("echo out; echo %s >&2; exit 3", "it's err")
    assert (done.rc, done.stdout, done.stderr) == (3, "out\n", "it's err\n")
    assert machine.check_output("echo fine") == "fine"
    assert machine.run("cat").stdout == "", "it has no standard input"


def test_a_frozen_ssh_is_an_error_that_names_host_command_and_seconds(machine: Host, tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(MachineError) as caught:
        machine.run("freeze %s", "now", timeout=1)
    assert time.monotonic() - start < 20
    assert str(caught.value).startswith("etcd-01: `freeze now` did not end within 1 s — ")
    assert not runs(int((tmp_path / "pid").read_text(encoding="ascii"))), "it goes on here"


def runs(number: int) -> bool:
    return psutil.pid_exists(number) and is_alive(psutil.Process(number))


def test_what_does_not_say_otherwise_has_a_deadline_as_well(machine: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_backend.DeadlineSsh.run, "__kwdefaults__", {"timeout": 0.5})
    with pytest.raises(MachineError, match="`test -e freeze` did not end within 0 s"):
        _ = machine.file("freeze").exists


def test_what_an_ssh_leaves_behind_is_not_waited_for(machine: Host, tmp_path: Path) -> None:
    start = time.monotonic()
    assert machine.run("leave", timeout=100).stdout == "done\n"
    assert time.monotonic() - start < 50
    left = psutil.Process(int((tmp_path / "left").read_text(encoding="ascii")))
    assert is_alive(left), "the connection that stays is for others"
    left.kill()


def test_an_ssh_that_fails_itself_is_no_answer_of_the_machine(machine: Host) -> None:
    with pytest.raises(RuntimeError, match="no route to host"):
        machine.run("refuse")
