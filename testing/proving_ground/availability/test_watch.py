"""Probes are asked side by side; time passes only when told to, but for the tests of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from proving_ground.availability.watch import Asker, Watch
from proving_ground.core.errors import UsageError
from proving_ground.core.polling import Clock, NotReady, WaitTimeoutError, wait_until
from proving_ground.core.timeouts import Timeouts


class FakeTime:
    """Time that passes when a probe says so."""

    now = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now)

    def passes(self, seconds: float) -> None:
        self.now += seconds


class Service:
    """A service that answers, refuses, or hangs until it is let go."""

    def __init__(self) -> None:
        self.refuses, self.asked = False, 0
        self.open = threading.Event()
        self.open.set()

    def __call__(self) -> None:
        self.asked += 1
        self.open.wait(20)
        if self.refuses:
            raise ConnectionRefusedError("refused")


def asked_more(service: Service, times: int) -> None:
    before = service.asked

    def asked() -> None:
        if service.asked < before + times:
            raise NotReady(f"asked {service.asked - before} times")

    wait_until("the probe was asked again", asked, timeout=10, interval=0.01)


def test_an_attempt_has_the_times_of_question_and_answer() -> None:
    time = FakeTime()
    asker = Asker(lambda: time.passes(0.3), 1.0, time.clock())
    time.now = 7.0
    asker.ask()
    (attempt,) = asker.attempts()
    assert (attempt.asked, attempt.ended, attempt.succeeded) == (7.0, 7.3, True)


def fails() -> None:
    raise OSError("no route\nto host")


@pytest.mark.parametrize(
    ("probe", "reason"), [(fails, "OSError: no route to host"), (lambda: False, "the probe returned False")]
)
def test_an_error_and_false_are_failures_with_their_reason(probe: Callable[[], object], reason: str) -> None:
    asker = Asker(probe, 1.0, FakeTime().clock())
    asker.ask()
    assert [attempt.reason for attempt in asker.attempts()] == [reason]


def test_nothing_and_values_without_truth_are_answers() -> None:
    values: list[object] = [None, 0, "", []]
    left = iter(values)
    asker = Asker(lambda: next(left), 1.0, FakeTime().clock())
    for _ in values:
        asker.ask()
    assert [attempt.reason for attempt in asker.attempts()] == ["", "", "", ""]


def test_an_open_question_counts_as_failed_after_its_deadline_and_not_before() -> None:
    time, seen = FakeTime(), list[int]()

    def probe() -> None:
        for seconds in (0.9, 0.2):
            time.passes(seconds)
            seen.append(len(asker.attempts()))

    asker = Asker(probe, 1.0, time.clock())
    asker.ask()
    assert seen == [0, 1]
    assert len(asker.attempts()) == 1


def test_a_service_that_always_answers_has_no_gap() -> None:
    service = Service()
    with Watch({"read": service}, interval=0.01) as seen:
        asked_more(service, 3)
    seen.assert_gap(wanted=0, most=0)
    assert (seen.longest_gap, seen.gaps, seen.failures) == (0, {"read": 0}, "read: always answered")
    assert seen.verdicts == {"read": "good"}


def test_a_gap_is_measured_for_the_probe_that_had_it() -> None:
    read, write = Service(), Service()
    with Watch({"read": read, "write": write}, interval=0.01) as seen:
        write.refuses = True
        asked_more(write, 3)
        write.refuses = False
        seen.wait_for_answers(10)
    (outage,) = seen.outages["write"]
    assert (seen.outages["read"], outage.over) == ((), True)
    assert seen.longest_gap == seen.gaps["write"] == outage.gap > 0.01
    assert {attempt.reason for attempt in outage.failures} == {"ConnectionRefusedError: refused"}
    with pytest.raises(AssertionError, match=r"write: no answer for .* more than 0.001 s is an error(.|\n)*refused"):
        seen.assert_gap(wanted=0, most=0.001)
    assert seen.verdicts == {"read": "good", "write": "bad"}
    seen.assert_gap(wanted=0, most=60)
    assert seen.verdicts["write"] == "late"


def test_a_probe_that_hangs_blocks_no_other_and_has_one_question_open() -> None:
    read, write = Service(), Service()
    with Watch({"read": read, "write": write}, interval=0.01, timeout=0.05) as seen:
        write.open.clear()
        asked_more(read, 10)
        hanging = write.asked
        asked_more(read, 10)
        assert write.asked == hanging
    assert seen.gaps["read"] == 0
    assert not seen.outages["write"][0].over
    with pytest.raises(AssertionError, match=r"and none until the end of the watch(.|\n)*no answer within 0.05 s"):
        seen.assert_gap(wanted=60, most=60)
    write.open.set()


def test_an_outage_that_the_block_leaves_behind_is_seen() -> None:
    service = Service()
    with Watch({"read": service}, interval=60) as seen:
        service.refuses = True
    assert [outage.over for outage in seen.outages["read"]] == [False]


def test_a_service_that_is_down_before_the_block_is_told_by_its_probe() -> None:
    service = Service()
    service.refuses = True
    watch = Watch({"read": service}, interval=0.01, ready_within=0.1)
    with pytest.raises(WaitTimeoutError, match="read: ConnectionRefusedError: refused"):
        watch.__enter__()
    assert not watch.was_ready
    assert not [thread for thread in threading.enumerate() if thread.name == "probe read"]


def test_bounds_and_deadlines_grow_with_the_factor_of_time_outs() -> None:
    with Watch({"read": Service()}, timeouts=Timeouts(2.0)) as seen:
        pass
    seen.assert_gap(wanted=5, most=10)
    assert seen.bounds == (10, 20)


def test_a_probe_is_closed_at_the_end() -> None:
    class Closing(Service):
        closed = False

        def close(self) -> None:
            self.closed = True

    probe = Closing()
    with Watch({"read": probe}):
        assert not probe.closed
    assert probe.closed


def test_no_probe_and_bounds_in_the_wrong_order_are_errors() -> None:
    with pytest.raises(UsageError, match="there is no probe to ask"):
        Watch({})
    with (
        Watch({"read": Service()}) as seen,
        pytest.raises(UsageError, match=r"wanted \(9 s\) is more than most \(5 s\)"),
    ):
        seen.assert_gap(wanted=9, most=5)
