"""Note that INT or TERM has come before the present handler of the signal acts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

KINDS = (signal.SIGINT, signal.SIGTERM)

_NOTES: list[Callable[[], None]] = []


@contextmanager
def noted(note: Callable[[], None]) -> Iterator[None]:
    """While this lasts, INT and TERM raise KeyboardInterrupt in the main thread, and call ``note`` before.

    Python ends on TERM without finalizers, and pytest leaves it so. A signal that is ignored (INT, in the background of
    a script) stays ignored.

    Args:
        note: called at the first signal and at all others; quick, and without errors.
    """

    def handle(kind: int, frame: FrameType | None) -> None:
        tell()
        signal.default_int_handler(kind, frame)

    with _handled_by(handle):
        _NOTES.append(note)
        try:
            yield
        finally:
            _NOTES.remove(note)


@contextmanager
def cancelling() -> Iterator[Callable[[], bool]]:
    """While this lasts, INT and TERM are noted and raise nothing; what is yielded says whether one has come."""
    told = threading.Event()

    def handle(kind: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal wants it
        told.set()
        tell()

    with _handled_by(handle):
        yield told.is_set


def tell() -> None:
    """Call all that wants to be noted."""
    for note in _NOTES:
        note()


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main one may
        return
    before = {kind: signal.getsignal(kind) for kind in KINDS}
    try:
        for kind, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(kind, handle)
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
