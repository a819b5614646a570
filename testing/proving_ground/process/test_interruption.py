"""INT and TERM are noted first, whoever handles them."""

from __future__ import annotations

import os
import signal

import pytest

from proving_ground.process import interruption


@pytest.mark.parametrize("kind", interruption.KINDS)
def test_a_signal_is_noted_and_then_interrupts(kind: signal.Signals) -> None:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruption.noted(lambda: told.append("told")):
        os.kill(os.getpid(), kind)
    assert told == ["told"]


@pytest.mark.parametrize("kind", interruption.KINDS)
def test_where_somebody_asks_for_it_a_signal_is_noted_and_raises_nothing(kind: signal.Signals) -> None:
    told: list[str] = []
    with interruption.noted(lambda: told.append("told")), interruption.cancelling() as is_cancelled:
        assert not is_cancelled()
        os.kill(os.getpid(), kind)
        assert is_cancelled()
    assert told == ["told"]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption.noted(lambda: None):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
