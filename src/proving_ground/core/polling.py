"""Wait until a condition holds; the error after a time-out names the condition and why it did not hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


class NotReady(Exception):  # noqa: N818 - a state, not a fault
    """A probe raises this while the condition does not hold yet; the text is the reason."""


class WaitTimeoutError(AssertionError):
    """The condition did not hold in time; the text has the condition, seconds, attempts and the last reason."""


@dataclass(frozen=True)
class Clock:
    """The clock of ``wait_until``, in seconds; a test can pass a fake one."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Waited:
    """A successful wait: its condition held in time.

    Attributes:
        what: the condition.
        seconds: how long the wait took.
        timeout: its time-out, in seconds.
        attempts: how often the probe ran.
        transport_errors: how many attempts raised one of the caller's ``retry_on`` errors.
        last_reason: the reason of the last attempt that did not succeed; empty if the first attempt succeeded.
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
    """Call the probe until it returns ``successes`` times in a row.

    It calls the probe at least once, and once more at the deadline. It catches only :class:`NotReady` and the
    exceptions in ``retry_on``; all other exceptions of the probe reach the caller.

    Args:
        what: the condition, as a part of a sentence ("node web-01 is Ready").
        probe: returns a value if the condition holds; raises ``NotReady(reason)`` if not.
        timeout: seconds, not scaled; :class:`timeouts.Timeouts` scales them.
        interval: seconds between two calls of the probe.
        successes: how many calls in a row have to succeed.
        retry_on: further exceptions (transport errors) that mean "not yet".
        clock: the source of time.
        observe: receives the wait when the condition holds.

    Returns:
        The value that the last call returned.

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
    """Wait for several conditions at the same time.

    Args:
        probes: condition → its probe, as in :func:`wait_until`.
        timeout: seconds for each condition.
        interval: seconds between two calls of one probe.

    Returns:
        the error text of each wait that timed out.
    """

    def in_vain(what: str) -> str | None:
        try:
            wait_until(what, probes[what], timeout=timeout, interval=interval)
        except WaitTimeoutError as error:
            return str(error)
        return None

    from concurrent.futures import ThreadPoolExecutor  # imported here: most runs wait for one condition at a time

    with ThreadPoolExecutor(max_workers=max(1, len(probes))) as pool:
        return [words for words in pool.map(in_vain, probes) if words]
