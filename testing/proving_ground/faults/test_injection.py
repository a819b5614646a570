"""A fault is in for the length of a block; one that a killed run has left in is taken out by the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.faults.catalogue import Fault
from proving_ground.faults.injection import Injection, Left

FAULT = Fault("stopped", "it is stopped", ("web",), "web", "stop", "start", ("tests",))


class Machines:
    """Notes the scripts that run; fails those that a test names."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []
        self.broken = ""

    def __call__(self, where: str, script: str) -> None:
        self.ran.append((where, script))
        if script == self.broken:
            raise HarnessError(f"{script} failed", where=where)


@pytest.fixture
def machines() -> Machines:
    return Machines()


def test_it_is_taken_out_at_the_end_whatever_happens(machines: Machines, tmp_path: Path) -> None:
    injection = Injection(tmp_path, machines)
    seen = []

    def interrupted() -> None:
        with injection.inside(FAULT, "web-01"):
            seen.extend(injection.left())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [Left("stopped", "web-01", "start")]
    assert machines.ran == [("web-01", "stop"), ("web-01", "start")]
    assert injection.left() == []


def test_half_of_it_is_taken_out(machines: Machines, tmp_path: Path) -> None:
    machines.broken = "stop"
    with (
        pytest.raises(HarnessError, match="web-01: stop failed"),
        Injection(tmp_path, machines).inside(FAULT, "web-01"),
    ):
        pytest.fail("the block ran without the fault")
    assert machines.ran == [("web-01", "stop"), ("web-01", "start")]


def test_next_run_takes_out_what_a_killed_one_has_left(machines: Machines, tmp_path: Path) -> None:
    killed = Injection(tmp_path, machines)
    blocks = [killed.inside(FAULT, where) for where in ("web-01", "web-02")]
    for block in blocks:
        block.__enter__()
    machines.ran.clear()
    found = Injection(tmp_path, machines).take_out_all()
    assert [each.where for each in found] == ["web-01", "web-02"]
    assert machines.ran == [("web-02", "start"), ("web-01", "start")]
    assert Injection(tmp_path, machines).take_out_all() == []


def test_fault_that_cannot_be_taken_out_is_not_forgotten(machines: Machines, tmp_path: Path) -> None:
    machines.broken = "start"
    injection = Injection(tmp_path, machines)
    with pytest.raises(HarnessError, match="start failed"), injection.inside(FAULT, "web-01"):
        pass
    assert [each.name for each in injection.left()] == ["stopped"]
