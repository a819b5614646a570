"""What counts as an outage, how long it is, and how its failures are told; times are given."""

from __future__ import annotations

import pytest

from proving_ground.availability.outages import Attempt, judged, longest, outages, timeline, unanswered, verdict

REFUSED = "ConnectionRefusedError: refused"


def answers(*ended: float) -> list[Attempt]:
    return [Attempt(each - 0.01, each) for each in ended]


def failures(*ended: float, reason: str = REFUSED) -> list[Attempt]:
    return [Attempt(each - 0.01, each, reason) for each in ended]


def test_a_gap_is_from_the_end_of_the_last_success_to_the_end_of_the_next() -> None:
    (outage,) = outages("read", [*answers(1.0), *failures(1.1, 1.2, 1.3), *answers(1.4)], ended=9)
    assert (outage.start, outage.end, outage.over) == (1.0, 1.4, True)
    assert outage.gap == pytest.approx(0.4)
    assert [each.ended for each in outage.failures] == [1.1, 1.2, 1.3]


def test_answers_that_are_far_apart_are_no_outage() -> None:
    assert outages("read", answers(1.0, 5.0, 9.0), ended=20) == ()


def test_every_outage_is_one_of_its_own_and_the_longest_counts() -> None:
    attempts = [*answers(1), *failures(2), *answers(3), *failures(4, 5, 6), *answers(7)]
    found = outages("read", attempts, ended=7)
    assert [outage.gap for outage in found] == [2, 4]
    assert longest(found) == 4
    assert longest([]) == 0


def test_an_outage_that_is_not_over_lasts_until_the_end_of_the_watch() -> None:
    (outage,) = outages("read", [*answers(1), *failures(2)], ended=8)
    assert (outage.gap, outage.over) == (7, False)


def test_failures_before_the_first_answer_are_no_outage() -> None:
    assert outages("read", [*failures(1, 2), *answers(3)], ended=3) == ()


def test_an_answer_after_its_deadline_is_a_failure() -> None:
    assert judged(1.0, 1.9, "", timeout=1).succeeded
    late = judged(1.0, 2.34, "", timeout=1)
    assert late.reason == "answered after 1.34 s, later than 1 s"
    assert judged(1.0, 2.34, REFUSED, timeout=1).reason == REFUSED


def test_a_question_that_hangs_is_a_failure_from_when_its_deadline_passes() -> None:
    assert unanswered(1.0, 2.0, timeout=1) is None
    hanging = unanswered(1.0, 2.5, timeout=1)
    assert hanging is not None
    assert (hanging.asked, hanging.reason) == (1.0, "no answer within 1 s")


def test_a_hanging_question_makes_an_outage_from_the_last_success_before_it() -> None:
    hanging = unanswered(1.1, 31.0, timeout=1)
    assert hanging is not None
    (outage,) = outages("write", [*answers(1.0), hanging], ended=31)
    assert outage.gap == 30


@pytest.mark.parametrize(("until", "expected"), [(5.9, "good"), (6.1, "late"), (11.0, "late"), (11.1, "bad")])
def test_a_gap_is_good_late_or_bad(until: float, expected: str) -> None:
    found = outages("read", [*answers(1.0), *failures(2.0), *answers(until)], ended=until)
    assert verdict(found, wanted=5, most=10) == expected


def test_a_short_outage_that_is_not_over_is_bad() -> None:
    assert verdict(outages("read", [*answers(1.0), *failures(1.1)], ended=1.2), wanted=5, most=10) == "bad"
    assert verdict((), wanted=5, most=10) == "good"


def test_the_timeline_says_which_probe_when_and_why() -> None:
    attempts = [*answers(101.0), *failures(101.1, 101.2), *failures(102.2, reason="no answer"), *answers(102.3)]
    text = timeline({"read": (), "write": outages("write", attempts, ended=103)}, began=100)
    assert text.splitlines() == [
        "read: always answered",
        "write: no answer for 1.30 s, from 1.00 s, until 2.30 s",
        f"    asked at 1.09 s: {REFUSED} (2 times until 1.20 s)",
        "    asked at 2.19 s: no answer",
    ]


def test_the_timeline_of_an_endless_outage_is_short_and_says_that_it_is_not_over() -> None:
    attempts = [*answers(1.0), *(each for number in range(40) for each in failures(2.0 + number, reason=f"{number}"))]
    lines = timeline({"read": outages("read", attempts, ended=50)}, began=0).splitlines()
    assert lines[0].endswith("from 1.00 s, not over at the end of the watch")
    assert lines[-1] == "    … and 28 more"
    assert len(lines) == 14
