"""Decide which steps lead from the machines that there are to the machines that are wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from proving_ground.ansible.phases import Phase
from proving_ground.core.errors import UsageError
from proving_ground.core.settings import Settings
from proving_ground.lifecycle.steps import (
    AwaitRestored,
    CheckReachable,
    ConvergeAll,
    ConvergePhase,
    Create,
    MarkConverged,
    Remove,
    Restore,
    Save,
    Step,
)
from proving_ground.machines.ledger import Record


@dataclass(frozen=True)
class Facts:
    """What decides.

    Attributes:
        settings: what was asked for.
        record: the machines that there are; None where there are none.
        phases: the playbook's, the first being the one before any play; empty where nothing is converged.
        wanted: those of them that lead to what the chosen tests need.
        keys: name of a phase → content that leads to it.
        saved: keys of the checkpoints that are whole.
        in_place: whether the provider keeps checkpoints in the machines themselves.
    """

    settings: Settings
    record: Record | None
    phases: tuple[Phase, ...] = ()
    wanted: tuple[Phase, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    saved: frozenset[str] = frozenset()
    in_place: bool = False

    @property
    def by_checkpoints(self) -> bool:
        """Whether a converge is saved phase by phase."""
        return self.settings.checkpoints and not self.settings.reuse

    @property
    def is_new(self) -> bool:
        """Whether machines have to be made: there are none, or an earlier run ended while it was making them."""
        return not self.settings.reuse and (self.record is None or self.record.phase == "creating")

    @property
    def is_same(self) -> bool:
        """Whether the machines that there are are of the topology, the provider and the network that were asked for."""
        asked, record = self.settings, self.record
        return (
            record is not None
            and (asked.topology, asked.provider) == (record.topology, record.provider)
            and asked.network_prefix in {None, record.network_prefix}
        )

    @property
    def is_converged(self) -> bool:
        """Whether nothing has to be run: converged with today's content, or taken as they are with ``--pg-reuse``."""
        record, reuse = self.record, self.settings.reuse
        if record is None:
            return False
        if record.phase != "converged":
            return reuse and record.reached in {phase.name for phase in self.phases[len(self.wanted) - 1 :]}
        return reuse or record.converged_key == self.keys[self.phases[-1].name]

    @property
    def reached(self) -> Phase | None:
        """The phase that the machines are at, if today's content leads there."""
        if self.record is None or not self.is_same:
            return None
        return next((phase for phase in self.phases if self.keys[phase.name] == self.record.reached_key), None)

    @property
    def newest(self) -> Phase | None:
        """The last phase, of those that are wanted, that has been saved with content that still leads there."""
        return next((phase for phase in reversed(self.wanted) if self.keys[phase.name] in self.saved), None)


def plan_machines(facts: Facts) -> list[Step]:
    """The steps to machines that are up: those that are, or new ones.

    Raises:
        UsageError: ``--pg-reuse`` with nothing up, or machines of another topology, provider or network are up.
    """
    record = facts.record
    if facts.settings.reuse and (record is None or record.phase == "creating"):
        hint = "run `proving-ground up`, or drop --pg-reuse"
        raise UsageError("no machines of this checkout are up", where="--pg-reuse", hint=hint)
    if facts.is_new:
        left = [Remove("an earlier run ended while it was creating them")] if record is not None else []
        return [*left, *new_machines(facts)]
    if record is not None and not facts.is_same:
        text = f"machines of topology {record.topology!r} on provider {record.provider!r} are up"
        raise UsageError(text, where="this checkout", hint="run `proving-ground destroy`, or ask for those")
    return [CheckReachable()]


def new_machines(facts: Facts) -> list[Step]:
    """The steps to machines where there are none."""
    if not facts.by_checkpoints or not facts.phases:
        return [Create()]
    if not facts.in_place and (phase := facts.newest) is not None:
        return [Restore(phase, facts.keys[phase.name])]
    first = facts.phases[0]
    return [Create(), Save(first, facts.keys[first.name])]


def plan_converge(facts: Facts) -> list[Step]:
    """The steps to machines that are converged as far as is wanted; errors as of :func:`plan_machines`.

    A project without a playbook has nothing to be converged with: its machines only have to be up.
    """
    if not facts.phases:
        return plan_machines(facts)
    if facts.by_checkpoints and (facts.is_new or not facts.is_converged):
        return plan_phases(facts)
    machines = plan_machines(facts)
    if not facts.is_new and facts.is_converged:
        return machines
    return [*machines, *plan_whole(facts)]


def plan_whole(facts: Facts, *arguments: str) -> list[Step]:
    """The steps of a run of the whole playbook on machines that are up."""
    restored = [] if facts.is_new else await_restored(facts)
    return [*restored, ConvergeAll(facts.keys[facts.phases[-1].name], arguments)]


def plan_phases(facts: Facts) -> list[Step]:
    """The steps of a converge phase by phase, each saved.

    Machines that are up are kept when today's content leads to where they are. Otherwise they are replaced, so that
    what a phase is saved as depends on its content alone.
    """
    at, restored = facts.reached, await_restored(facts)
    if facts.is_new:
        steps = plan_machines(facts)
    elif at is not None:
        steps = []
    elif facts.in_place and facts.is_same and (phase := facts.newest) is not None:
        steps = [Restore(phase, facts.keys[phase.name], in_place=True)]
    else:
        steps = [Remove("they were converged with other content"), *new_machines(facts)]
    if steps:
        last = steps[-1]
        at = last.phase if isinstance(last, Restore | Save) else facts.phases[0]
        restored = [AwaitRestored(0, at)] if isinstance(last, Restore) else []
    assert at is not None, "machines that are up, or come up, are at a phase"
    if facts.wanted[-1].plays > at.plays:
        steps += restored
    for before, phase in pairwise(phase for phase in facts.wanted if phase.plays >= at.plays):
        key = facts.keys[phase.name]
        steps += [ConvergePhase(before, phase, key), Save(phase, key)]
        if facts.in_place and key not in facts.saved:
            steps.append(AwaitRestored(0, phase))
    if facts.wanted[-1] == facts.phases[-1]:
        steps.append(MarkConverged(facts.keys[facts.phases[-1].name]))
    return steps


def await_restored(facts: Facts, up_to: Phase | None = None) -> list[AwaitRestored]:
    """The wait for what runs on machines that were restored and have not been awaited yet; nothing on others.

    What is asked for first is awaited first, so that its tests can begin while the rest is still starting. The second
    call awaits all of the rest, since every wait starts Ansible anew.

    Args:
        facts: as above.
        up_to: the phase that is needed; None for all that the machines are at.
    """
    record = facts.record
    if record is None or not record.restored_at or (up_to is not None and up_to.plays <= record.awaited):
        return []
    last = next((phase for phase in facts.phases if phase.name == record.reached), facts.phases[-1])
    needed = last if record.awaited or up_to is None else up_to
    end = min(last, needed, key=lambda phase: phase.plays)
    return [AwaitRestored(record.awaited, end, complete=end.plays == last.plays)]
