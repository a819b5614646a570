"""Call registered functions when SIGINT or SIGTERM arrives, before the signal ends anything."""

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
    """In this context SIGINT and SIGTERM call ``note``, then raise KeyboardInterrupt in the main thread.

    Without it Python ends on SIGTERM without finalizers, also under pytest. A signal that the process ignores (SIGINT,
    in the background of a script) stays ignored.

    Args:
        note: called at every signal; has to be quick and raise nothing.
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
    """In this context SIGINT and SIGTERM raise nothing; the yielded function returns whether one has arrived."""
    told = threading.Event()

    def handle(kind: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal wants it
        told.set()
        tell()

    with _handled_by(handle):
        yield told.is_set


def tell() -> None:
    """Call every registered function."""
    for note in _NOTES:
        note()


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
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
