"""A converge in phases, each saved: from the newest that roles and pins still lead to, up to what is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.phases import Phase
from proving_ground.ansible.runner import Converge
from proving_ground.checkpoints.store import Checkpoint
from proving_ground.core.errors import ConvergeError
from proving_ground.core.timeouts import be_patient
from proving_ground.lifecycle import readiness
from proving_ground.machines.ledger import Record
from proving_ground.providers import registry

if TYPE_CHECKING:
    from proving_ground.lifecycle.lifecycle import Lifecycle


def converge(life: Lifecycle) -> Converge | None:
    """Bring machines to the last phase that is wanted.

    Machines that are up are kept when they are there already; otherwise they are replaced, so that what a phase is
    saved as depends on its content alone.

    Returns:
        the outcomes of all tasks that ran, or None when nothing had to be done.

    Raises:
        HarnessError: as ``Lifecycle.create`` and ``Lifecycle.converge``.
    """
    record = life.ledger.read()
    if record is not None and record.phase == "creating":
        record = life.create()
    if record is not None and life.is_converged(record):
        life.create()
        return None
    reached = None if record is None else _reached(life, record)
    if record is not None and reached is None:
        life.progress.say("machines are up whose content is another: they are replaced")
        if _take_back(life, record) is None:
            life.destroy()
    if reached is None:
        reached = _reached(life, life.create())
        assert reached is not None, "what has just come up is at a phase"
    if life.wanted[-1].plays > reached.plays:
        readiness.ready(life)
    outcomes: list[Outcome] = []
    # Their keys are those of the content that is about to run, whatever is edited meanwhile.
    keys = {phase: life.key(phase) for phase in life.wanted}
    if len(keys) < len(life.phases):
        life.progress.say(f"what has been chosen needs phase {life.wanted[-1].name}, and nothing after it")
    for before, phase in pairwise(phase for phase in keys if phase.plays >= reached.plays):
        # Machines of which a phase has begun are at none, until it is done.
        life.ledger.update(reached="", reached_key="")
        try:
            with life.progress.step(f"converge {phase.name}"):
                result = life.play(plays=(before.plays, phase.plays))
        except ConvergeError as error:
            error.hint = f"fix it and run the same again: it begins at checkpoint {before.name}"
            raise
        outcomes += result.outcomes
        _save(life, keys[phase], phase)
        _at(life, phase, keys[phase])
    if (last := life.phases[-1]) in keys:
        life.converged(keys[last])
    return Converge(tuple(outcomes), life.settings.artifacts / "ansible.log")


def _reached(life: Lifecycle, record: Record) -> Phase | None:
    """The phase that machines are at, if content of today leads there."""
    return next((phase for phase in life.phases if life.key(phase) == record.reached_key), None)


def begin(life: Lifecycle) -> Record:
    """Make machines at the newest phase that has been saved, or else new ones, which are saved; there are none yet."""
    saved = None if registry.of(life.settings).in_place else _newest(life)
    if saved is None:
        life.make()
        first = life.phases[0]
        _save(life, life.key(first), first)
        return _at(life, first, life.key(first))
    phase, checkpoint = saved
    since = _now()
    return _came_back(life, phase, checkpoint, life.make(checkpoint.key), since)


def _take_back(life: Lifecycle, record: Record) -> Record | None:
    """Bring machines that are there back to the newest phase saved in them; None when there is no such thing."""
    settings = life.settings
    same = (record.topology, record.provider) == (settings.topology, settings.provider)
    saved = _newest(life) if same and registry.of(settings).in_place else None
    if saved is None:
        return None
    phase, checkpoint = saved
    since = _now()
    return _came_back(life, phase, checkpoint, life.put_back(checkpoint.key), since)


def _newest(life: Lifecycle) -> tuple[Phase, Checkpoint] | None:
    """The last phase, of those that are wanted, that has been saved with content that still leads there."""
    for phase in reversed(life.wanted):
        if (checkpoint := life.checkpoints.get(life.key(phase))) is not None:
            life.progress.say(f"from checkpoint {phase.name} of {checkpoint.saved[:16]}")
            return phase, checkpoint
    return None


def _came_back(life: Lifecycle, phase: Phase, checkpoint: Checkpoint, record: Record, since: str) -> Record:
    """Machines are there as they were, and now what was made for them; what runs on them is still to be awaited."""
    be_patient(record.timeout_factor, life.settings.timeout_factor)
    life.checkpoints.bring_back_files(checkpoint)
    return _at(life, phase, checkpoint.key, came_back=since)


def _at(life: Lifecycle, phase: Phase, content: str, came_back: str = "") -> Record:
    """Note that machines are at ``phase``, to which ``content`` led; and since when, if they came back."""
    view = str(life.view.path)
    return life.ledger.update(reached=phase.name, reached_key=content, came_back=came_back, awaited=0, view=view)


def _save(life: Lifecycle, content: str, phase: Phase) -> None:
    """Save machines; where they start anew for it, wait until all that ran on them does so again."""
    since, saved = _now(), life.checkpoints.get(content)
    life.checkpoints.save(content, phase.name, life.topology, life.view)
    if saved is None and registry.of(life.settings).in_place:
        readiness.wait(life, phase, since)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
