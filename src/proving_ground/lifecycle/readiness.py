"""Machines that came back as they had been saved: what has been started on them is awaited, when it is asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from proving_ground.ansible.phases import Phase

if TYPE_CHECKING:
    from proving_ground.lifecycle.lifecycle import Lifecycle

READY = "ready"
"""Tag of the tasks that wait for what has been started, and change nothing: all that machines which come back need."""


def is_ready(life: Lifecycle, roles: Collection[str] | None = None) -> bool:
    """Whether all that ``roles`` have started (None: all roles) runs again, where machines have come back."""
    record = life.ledger.read()
    return record is None or not record.came_back or life.up_to(roles)[-1].plays <= record.awaited


def ready(life: Lifecycle, roles: Collection[str] | None = None) -> None:
    """Wait for what ``roles`` have started on machines that have come back; None for all of them.

    What is asked for first is waited for first, so that its tests can begin while the rest is still starting; whoever
    asks next gets all of it, since every wait starts Ansible anew.

    Raises:
        ConvergeError: a wait's task failed.
    """
    record = life.ledger.read()
    if record is None or is_ready(life, roles):
        return
    last = next((phase for phase in life.phases if phase.name == record.reached), life.phases[-1])
    end = last if record.awaited else min(last, life.up_to(roles)[-1], key=lambda phase: phase.plays)
    wait(life, end, record.came_back, begin=record.awaited)
    done = end.plays == last.plays
    life.ledger.update(came_back="" if done else record.came_back, awaited=0 if done else end.plays)


def wait(life: Lifecycle, phase: Phase, since: str, begin: int = 0) -> None:
    """Wait for what plays from number ``begin`` up to ``phase`` have started on machines, up since ``since``."""
    if phase.plays > begin:
        with life.progress.step(f"checkpoint {phase.name} is ready"):
            life.play(f"--tags={READY}", f"--extra-vars=restored_at={since}", plays=(begin, phase.plays))
