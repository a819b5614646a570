"""Wait until a condition holds; after a time-out, say what was awaited and why it did not come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


class NotReady(Exception):  # noqa: N818 - a state, not a fault
    """Raised by a probe: the condition does not hold yet, for ``reason``."""


class WaitTimeoutError(AssertionError):
    """The condition did not hold in time; says what, how long, how often, and the last reason."""


@dataclass(frozen=True)
class Clock:
    """Time as ``wait_until`` uses it, in seconds; a test hands in one that does not pass by itself."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Waited:
    """A wait that came to its end: its condition held.

    Attributes:
        what: the condition.
        seconds: how long it took.
        timeout: how long it might have taken, in seconds.
        attempts: how often was asked.
        transport_errors: how many of these ended in an error that the caller had named as "not yet".
        last_reason: why the condition did not hold the last time that it did not; empty if it held at once.
    """

    what: str
    seconds: float
    timeout: float
    attempts: int
    transport_errors: int
    last_reason: str


def wait_until(
    what: str,
    probe: Callable[[], Value],
    *,
    timeout: float,
    interval: float = 0.5,
    successes: int = 1,
    retry_on: tuple[type[BaseException], ...] = (),
    clock: Clock | None = None,
    observe: Callable[[Waited], object] | None = None,
) -> Value:
    """Probe until the probe returns, ``successes`` times in a row.

    The probe is called at least once, and once more at the deadline. Whatever it raises other than :class:`NotReady`
    and ``retry_on`` (transport errors, named by the caller) goes straight through.

    Args:
        what: the condition, as a sentence part ("node web-01 is Ready").
        probe: returns a value when the condition holds; raises ``NotReady(reason)`` when it does not.
        timeout: seconds, as they are; :class:`timeouts.Timeouts` scales them.
        interval: seconds between two probes.
        successes: how many probes in a row have to succeed.
        retry_on: further exceptions that mean "not yet".
        clock: where time comes from.
        observe: told of the wait when the condition holds.

    Returns:
        What the last probe returned.

    Raises:
        WaitTimeoutError: the condition did not hold in time.
    """
    clock = clock or Clock()
    start = clock.now()
    catch: tuple[type[BaseException], ...] = (NotReady, *retry_on)
    attempts, in_a_row, transport_errors = 0, 0, 0
    last_reason = ""
    while True:
        last_try = clock.now() - start >= timeout
        attempts += 1
        try:
            value = probe()
        except catch as reason:
            in_a_row, last_reason = 0, str(reason) or type(reason).__name__
            transport_errors += not isinstance(reason, NotReady)
        else:
            in_a_row += 1
            if in_a_row >= successes:
                waited = Waited(what, clock.now() - start, timeout, attempts, transport_errors, last_reason)
                if observe is not None:
                    observe(waited)
                return value
            last_reason = f"held {in_a_row} of {successes} times in a row"
        if last_try:
            elapsed = clock.now() - start
            raise WaitTimeoutError(f"waited {elapsed:.1f} s ({attempts} attempts) until {what}; last: {last_reason}")
        clock.sleep(max(0.0, min(interval, timeout - (clock.now() - start))))


def wait_for_all(probes: Mapping[str, Callable[[], object]], *, timeout: float, interval: float = 0.5) -> list[str]:
    """Wait for several things at the same time.

    Args:
        probes: what is waited for, and its probe, as of :func:`wait_until`.
        timeout: seconds for each.
        interval: seconds between two probes of one.

    Returns:
        in words, each wait that ended in vain.
    """

    def in_vain(what: str) -> str | None:
        try:
            wait_until(what, probes[what], timeout=timeout, interval=interval)
        except WaitTimeoutError as error:
            return str(error)
        return None

    from concurrent.futures import ThreadPoolExecutor  # most waits are for one thing

    with ThreadPoolExecutor(max_workers=max(1, len(probes))) as pool:
        return [words for words in pool.map(in_vain, probes) if words]
