"""Ask probes again and again, each in a thread of its own, while something disturbs what they ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from proving_ground.availability.outages import Attempt, Outage, judged, longest, outages, timeline, unanswered, verdict
from proving_ground.core.errors import UsageError
from proving_ground.core.polling import Clock, NotReady, wait_until
from proving_ground.core.timeouts import USUAL, Timeouts

Probe = Callable[[], object]
"""Asks a service once: it returns if the service answered, and raises any error, or returns False, if not."""

WHERE = "pg_availability"


class Asker:
    """Asks one probe, one question at a time.

    Args:
        probe: the probe; if it has a method ``close``, that is called after the last question.
        timeout: seconds after which a question without an answer counts as failed.
        clock: a monotonic clock.
    """

    def __init__(self, probe: Probe, timeout: float, clock: Clock) -> None:
        self._probe, self._timeout, self._clock = probe, timeout, clock
        self._done: list[Attempt] = []
        self._asked: float | None = None
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Ask once, and record the answer or why there was none."""
        asked = self._clock.now()
        with self._lock:
            self._asked = asked
        trouble = ""
        try:
            if self._probe() is False:
                trouble = "the probe returned False"
        except Exception as error:  # whatever a probe raises is why it had no answer
            trouble = _reason(error)
        with self._lock:
            self._done.append(judged(asked, self._clock.now(), trouble, self._timeout))
            self._asked = None

    def attempts(self) -> tuple[Attempt, ...]:
        """Return all attempts until now; one whose deadline has passed without an answer is the last of them."""
        with self._lock:
            is_open = None if self._asked is None else unanswered(self._asked, self._clock.now(), self._timeout)
            return (*self._done, *([is_open] if is_open else []))

    def run(self, interval: float, stop: threading.Event) -> None:
        """Ask every ``interval`` seconds, or at once after a longer answer; once more after ``stop`` is set."""
        is_last = False
        while not is_last:
            is_last = stop.is_set()
            due = self._clock.now() + interval
            self.ask()
            if not is_last:
                stop.wait(max(0.0, due - self._clock.now()))
        close = getattr(self._probe, "close", None)
        if close is not None:
            close()


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


class Watch:
    """What probes see: a context manager that asks them from its beginning to its end.

    It begins when every probe has answered once, and ends after every probe was asked once more: an outage that the
    block leaves behind is seen.

    Args:
        probes: name → probe.
        interval: seconds from one question to the next of the same probe.
        timeout: seconds in which a probe has to answer; a later answer counts as none.
        ready_within: seconds in which every probe has to answer for the first time.
        timeouts: multiply all seconds of time-outs and bounds, but not ``interval``.
        clock: a monotonic clock.

    Attributes:
        bounds: what :meth:`assert_gap` has last compared with: wanted and most, in seconds; None if it was not called.
        was_ready: whether every probe has answered once, so that the watch has begun.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        *,
        interval: float = 0.1,
        timeout: float = 1.0,
        ready_within: float = 10.0,
        timeouts: Timeouts = USUAL,
        clock: Clock | None = None,
    ) -> None:
        if not probes:
            raise UsageError("there is no probe to ask", where=WHERE, hint="name one: pg_availability(read=probe)")
        self._clock, self._timeouts = clock or Clock(), timeouts
        self._interval, self._timeout, self._ready_within = interval, timeouts.seconds(timeout), ready_within
        self._askers = {name: Asker(probe, self._timeout, self._clock) for name, probe in probes.items()}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._began = self._clock.now()
        self._frozen: dict[str, tuple[Attempt, ...]] | None = None
        self._ended = self._began
        self.bounds: tuple[float, float] | None = None
        self.was_ready = False

    def __enter__(self) -> Self:
        self._began = self._clock.now()
        self._threads = [
            threading.Thread(target=asker.run, args=(self._interval, self._stop), name=f"probe {name}", daemon=True)
            for name, asker in self._askers.items()
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._wait_for_answers(self._began, self._ready_within)
        except BaseException:
            self._end()
            raise
        self.was_ready = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Stop asking; a probe that does not return in time is left to its thread, which ends with this process."""
        self._stop.set()
        # Two questions at most: the open one, and the last.
        deadline = self._clock.now() + 2 * self._timeout + self._interval
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock.now()))
        self._ended = self._clock.now()
        self._frozen = {name: asker.attempts() for name, asker in self._askers.items()}

    def wait_for_answers(self, timeout: float) -> None:
        """Wait until every probe has answered a question that was asked from now on.

        Args:
            timeout: seconds.

        Raises:
            WaitTimeoutError: a probe did not answer; the text has its name and the last reason.
        """
        self._wait_for_answers(self._clock.now(), timeout)

    def _wait_for_answers(self, since: float, timeout: float) -> None:
        def answered() -> None:
            for name, attempts in self.attempts.items():
                later = [attempt for attempt in attempts if attempt.asked >= since]
                if not any(attempt.succeeded for attempt in later):
                    raise NotReady(f"{name}: {later[-1].reason if later else 'not yet asked, or no answer yet'}")

        interval = min(self._interval, 0.05)
        seconds = self._timeouts.seconds(timeout)
        wait_until("every probe has answered", answered, timeout=seconds, interval=interval, clock=self._clock)

    @property
    def attempts(self) -> dict[str, tuple[Attempt, ...]]:
        """Each probe's attempts until now."""
        if self._frozen is not None:
            return self._frozen
        return {name: asker.attempts() for name, asker in self._askers.items()}

    @property
    def outages(self) -> dict[str, tuple[Outage, ...]]:
        """Each probe's outages until now."""
        now = self._clock.now() if self._frozen is None else self._ended
        return {name: outages(name, attempts, now) for name, attempts in self.attempts.items()}

    @property
    def gaps(self) -> dict[str, float]:
        """Each probe's longest gap in seconds; 0 if it always answered."""
        return {name: longest(found) for name, found in self.outages.items()}

    @property
    def longest_gap(self) -> float:
        """The longest gap of all probes in seconds; 0 if they always answered."""
        return max(self.gaps.values())

    @property
    def verdicts(self) -> dict[str, str]:
        """Each probe's verdict: ``good``, ``late`` (longer than wanted) or ``bad``; empty without bounds."""
        return {
            name: verdict(found, *self.bounds) if self.bounds is not None else ""
            for name, found in self.outages.items()
        }

    @property
    def failures(self) -> str:
        """The timeline of the failures as text: which probe, when (in seconds since the beginning), and why."""
        return timeline(self.outages, self._began)

    def assert_gap(self, *, wanted: float, most: float) -> None:
        """Check the longest gap.

        A gap longer than ``wanted`` seconds is a finding in the run's report and on the terminal.

        Args:
            wanted: seconds.
            most: seconds.

        Raises:
            AssertionError: a gap is longer than ``most`` seconds, or not over; the text has :attr:`failures`.
            UsageError: ``wanted`` is more than ``most``.
        """
        if wanted > most:
            raise UsageError(f"wanted ({wanted:g} s) is more than most ({most:g} s)", where="assert_gap")
        wanted, most = self.bounds = self._timeouts.seconds(wanted), self._timeouts.seconds(most)
        if "bad" in self.verdicts.values():
            found = [outage for each in self.outages.values() for outage in each]
            worst = max(found, key=lambda outage: (not outage.over, outage.gap))
            length = f"no answer for {worst.gap:.2f} s" + (
                "" if worst.over else ", and none until the end of the watch"
            )
            bounds = f"wanted are {wanted:g} s, more than {most:g} s is an error"
            raise AssertionError(f"{worst.probe}: {length}; {bounds}\n{self.failures}")
