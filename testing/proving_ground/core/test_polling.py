"""Waiting with a clock that passes only when told to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proving_ground.core.polling import Clock, NotReady, WaitTimeoutError, wait_until


class FakeTime:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def ready_after(attempts: int) -> Callable[[], str]:
    calls = iter(range(1, 1000))

    def probe() -> str:
        if next(calls) < attempts:
            raise NotReady("still starting")
        return "value"

    return probe


def test_it_returns_what_the_probe_returns_without_waiting() -> None:
    time = FakeTime()
    assert wait_until("it is there", lambda: "value", timeout=10, clock=time.clock()) == "value"
    assert time.seconds == 0


def test_it_probes_until_the_condition_holds() -> None:
    time = FakeTime()
    assert wait_until("it is there", ready_after(4), timeout=10, interval=0.5, clock=time.clock()) == "value"
    assert time.seconds == 1.5


def test_a_time_out_says_what_how_long_how_often_and_why() -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        wait_until("etcd answers", ready_after(99), timeout=2, interval=0.5, clock=FakeTime().clock())
    assert str(caught.value) == "waited 2.0 s (5 attempts) until etcd answers; last: still starting"


def test_it_probes_at_least_once_even_without_time() -> None:
    assert wait_until("it is there", lambda: 7, timeout=0, clock=FakeTime().clock()) == 7


def test_it_probes_once_more_at_the_deadline() -> None:
    time = FakeTime()
    probe = ready_after(3)
    assert wait_until("it is there", probe, timeout=1, interval=0.7, clock=time.clock()) == "value"
    assert time.seconds == pytest.approx(1.0)


def test_other_exceptions_go_straight_through() -> None:
    def probe() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        wait_until("it is there", probe, timeout=10, clock=FakeTime().clock())


def test_named_transport_errors_are_retried_and_told() -> None:
    def probe() -> None:
        raise ConnectionRefusedError("refused")

    with pytest.raises(WaitTimeoutError, match="last: refused"):
        wait_until("it answers", probe, timeout=1, retry_on=(ConnectionError,), clock=FakeTime().clock())


def test_successes_have_to_come_in_a_row() -> None:
    answers = iter([True, False, True, True])

    def probe() -> str:
        if not next(answers):
            raise NotReady("flapped")
        return "steady"

    time = FakeTime()
    assert wait_until("it is steady", probe, timeout=10, interval=1, successes=2, clock=time.clock()) == "steady"
    assert time.seconds == 3
