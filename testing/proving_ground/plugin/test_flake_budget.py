"""Waits of passing tests are counted; what nearly failed is told."""

from __future__ import annotations

import pytest

from proving_ground.core.polling import Waited
from proving_ground.plugin.flake_budget import lucky

pytest_plugins = ["pytester"]

TEST = """
import pytest
from proving_ground.core.polling import Clock, NotReady, wait_until
from proving_ground.plugin.run import run_of

observe = []

@pytest.fixture
def pg_machines(pytestconfig): observe[:] = [run_of(pytestconfig).timeouts.observe]

class Time:
    now = 0.0
    def sleep(self, seconds): self.now += seconds

def wait(attempts, error=NotReady, retry_on=()):
    time, left = Time(), [None] * attempts
    def probe():
        if left:
            left.pop()
            raise error("no route\\nand more")
    wait_until("it answers", probe, timeout=10, interval=1, retry_on=retry_on,
               clock=Clock(lambda: time.now, time.sleep), observe=observe[0])
"""


def waited(seconds: float, transport_errors: int = 0) -> Waited:
    return Waited("it answers", seconds, 10, 3, transport_errors, "")


@pytest.mark.parametrize(
    ("wait", "expected"), [(waited(4.9), False), (waited(5.1), True), (waited(0.1, transport_errors=1), True)]
)
def test_lucky_is_what_came_late_or_after_an_error(wait: Waited, expected: bool) -> None:
    assert lucky(wait) is expected


def run(planned: pytest.Pytester, test: str) -> pytest.RunResult:
    planned.makepyfile(test_x=TEST + test)
    return planned.runpytest("-p", "no:cacheprovider", "--junitxml=junit.xml")


def test_a_pass_that_came_late_is_in_the_flake_budget(planned: pytest.Pytester) -> None:
    run(planned, "def test_y(pg_machines): wait(8)").stdout.fnmatch_lines(
        [
            "*flake budget: 1 of 1 waits of passing tests were lucky*",
            "test_x.py::test_y: 8.0 of 10 s, 9 attempts, until it answers; last: no route",
        ]
    )


def test_an_overlooked_error_is_in_the_flake_budget(planned: pytest.Pytester) -> None:
    result = run(planned, "def test_y(pg_machines): wait(1, OSError, (OSError,))")
    result.stdout.fnmatch_lines(["*1 waits of passing tests were lucky*", "*2 attempts, 1 transport errors*"])


def test_a_pass_in_good_time_is_not_but_the_nearest_is_told(planned: pytest.Pytester) -> None:
    result = run(planned, "def test_y(pg_machines): wait(2)\ndef test_z(pg_machines): wait(3)")
    result.stdout.fnmatch_lines(["flake budget: none of 2 waits was lucky; nearest: test_x.py::test_z: 3.0 of 10 s*"])


def test_waits_of_failed_tests_are_no_flakes(planned: pytest.Pytester) -> None:
    run(planned, "def test_y(pg_machines):\n    wait(8)\n    assert False").stdout.no_fnmatch_line("*flake budget*")


def test_junit_holds_the_wait(planned: pytest.Pytester) -> None:
    run(planned, "def test_y(pg_machines): wait(8)")
    assert 'property name="wait"' in (planned.path / "junit.xml").read_text(encoding="utf-8")
