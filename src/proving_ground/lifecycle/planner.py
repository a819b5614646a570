"""Plan the steps from the existing machines to the wanted machines. Pure."""

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
    Prepare,
    Remove,
    Restore,
    Save,
    Step,
)
from proving_ground.machines.ledger import Record


@dataclass(frozen=True)
class Facts:
    """The input of the planner.

    Attributes:
        settings: the run's settings.
        record: the existing machines; None if there are none.
        phases: the playbook's phases, starting with the one before any play; empty without a playbook.
        wanted: the phases up to the last one that the chosen tests need.
        keys: name of a phase → hash of the content that it depends on.
        saved: keys of the complete checkpoints.
        prepare: the playbook that prepares new machines; empty if there is none.
        in_place: whether the provider stores checkpoints in the machines themselves.
    """

    settings: Settings
    record: Record | None
    phases: tuple[Phase, ...] = ()
    wanted: tuple[Phase, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    saved: frozenset[str] = frozenset()
    prepare: str = ""
    in_place: bool = False

    @property
    def by_checkpoints(self) -> bool:
        """Whether a converge saves a checkpoint after each phase."""
        return self.settings.checkpoints and not self.settings.reuse

    @property
    def is_new(self) -> bool:
        """Whether machines have to be created: none exist, or an earlier run ended while it was creating them."""
        return not self.settings.reuse and (self.record is None or self.record.phase == "creating")

    @property
    def is_untouched(self) -> bool:
        """Whether no playbook has run on the machines, and they were created with the current content."""
        return self.is_same and self.record is not None and self.record.created_key == self.keys[self.phases[0].name]

    @property
    def is_unprepared(self) -> bool:
        """Whether the playbook that prepares machines still has to run on them; new ones always need it."""
        done = not self.is_new and self.record is not None and self.record.prepared
        return bool(self.prepare) and not self.settings.reuse and not done

    @property
    def is_same(self) -> bool:
        """Whether the machines that exist have topology, profile, overrides, provider, engines, network as asked."""
        asked, record = self.settings, self.record
        return (
            record is not None
            and record.is_of(asked)
            and record.has_images_of(asked)
            and asked.provider == record.provider
            and list(asked.engines) == record.engines
            and asked.network_prefix in {None, record.network_prefix}
        )

    @property
    def is_converged(self) -> bool:
        """Whether nothing has to run: the machines are converged with the current content, or tested as they are."""
        record, reuse = self.record, self.settings.as_they_are
        if record is None:
            return False
        if record.phase != "converged":
            return reuse and record.reached in {phase.name for phase in self.phases[len(self.wanted) - 1 :]}
        return reuse or record.converged_key == self.keys[self.phases[-1].name]

    @property
    def reached(self) -> Phase | None:
        """The phase that the machines are at, if they reached it with the current content."""
        if self.record is None or not self.is_same:
            return None
        return next((phase for phase in self.phases if self.keys[phase.name] == self.record.reached_key), None)

    @property
    def newest(self) -> Phase | None:
        """The last of the wanted phases that has a checkpoint with the current content."""
        return next((phase for phase in reversed(self.wanted) if self.keys[phase.name] in self.saved), None)


def plan_machines(facts: Facts) -> list[Step]:
    """Return the steps to machines that are up: the existing ones, or new ones.

    Raises:
        UsageError: ``--pg-reuse`` without machines, or machines of another topology, profile, provider or network are
            up.
    """
    record = facts.record
    if facts.settings.reuse and (record is None or record.phase == "creating"):
        hint = "run `proving-ground up`, or drop --pg-reuse"
        raise UsageError("no machines of this checkout are up", where="--pg-reuse", hint=hint)
    if facts.is_new:
        left = [Remove("an earlier run ended while it was creating them")] if record is not None else []
        return [*left, *new_machines(facts)]
    if record is not None and not facts.is_same:
        profile = f"profile {record.profile!r}, " if record.profile else ""
        overrides = f" with {record.overrides}" if record.overrides else ""
        engines = f" of {', '.join(record.engines)}" if record.engines else ""
        groups = ", ".join(record.image_groups or ())
        images = "" if record.has_images_of(facts.settings) else f" and only of {groups}"
        machines = f"machines of {profile}topology {record.topology!r}{overrides}"
        text = f"{machines} on provider {record.provider!r}{engines}{images} are up"
        raise UsageError(text, where="this checkout", hint="run `proving-ground destroy`, or ask for those")
    return [CheckReachable()]


def new_machines(facts: Facts) -> list[Step]:
    """Return the steps to new machines, if none exist."""
    if not facts.by_checkpoints or not facts.phases:
        return [Create()]
    if not facts.in_place and (phase := facts.newest) is not None:
        return [Restore(phase, facts.keys[phase.name])]
    first = facts.phases[0]
    key = facts.keys[first.name]
    return [Create(key)] if facts.prepare else [Create(key), Save(first, key)]


def preparation(facts: Facts) -> list[Step]:
    """Return the steps that prepare new machines, and then save them if there are checkpoints."""
    if not facts.prepare:
        return []
    if not facts.by_checkpoints or not facts.phases:
        return [Prepare(facts.prepare)]
    first = facts.phases[0]
    return [Prepare(facts.prepare), Save(first, facts.keys[first.name])]


def plan_prepare(facts: Facts) -> list[Step]:
    """Return the part of :func:`plan_converge` up to the preparation; nothing if no machine has to be prepared."""
    steps = plan_converge(facts)
    found = [number for number, step in enumerate(steps) if isinstance(step, Prepare)]
    if not found:
        return []
    end = found[0] + 1
    return steps[: end + 1] if isinstance(steps[end] if end < len(steps) else None, Save) else steps[:end]


def plan_converge(facts: Facts) -> list[Step]:
    """Return the steps to machines converged up to the last wanted phase; raises as :func:`plan_machines`.

    Without a playbook the machines only have to be up, and prepared.
    """
    prepares = preparation(facts) if facts.is_unprepared else []
    if not facts.phases:
        return [*plan_machines(facts), *prepares]
    if facts.by_checkpoints and (facts.is_new or not facts.is_converged):
        return plan_phases(facts)
    machines = plan_machines(facts)
    if not facts.is_new and facts.is_converged:
        return machines
    return [*machines, *prepares, *plan_whole(facts)]


def plan_whole(facts: Facts, name: str = "converge", *arguments: str) -> list[Step]:
    """Return the steps that run the whole playbook, as the step ``name``, on machines that are up."""
    restored = [] if facts.is_new else await_restored(facts)
    return [*restored, ConvergeAll(facts.keys[facts.phases[-1].name], name, arguments)]


def plan_phases(facts: Facts) -> list[Step]:
    """Return the steps of a converge that saves a checkpoint after each phase.

    It keeps machines that are at a phase of the current content. It replaces all others, so that a checkpoint depends
    only on the content of its key.
    """
    at, restored = facts.reached, await_restored(facts)
    if facts.is_new:
        steps = plan_machines(facts)
    elif at is not None:
        steps = []
    elif facts.prepare and facts.is_untouched:
        steps = preparation(facts)
    elif facts.in_place and facts.is_same and (phase := facts.newest) is not None:
        steps = [Restore(phase, facts.keys[phase.name], in_place=True)]
    else:
        steps = [Remove("they were converged with other content"), *new_machines(facts)]
    if steps:
        steps += preparation(facts) if isinstance(steps[-1], Create) else []
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
    """Return the step that waits for services on restored machines; nothing if they are ready or were not restored.

    The first call waits only up to the needed phase, so that its tests can begin while other services still start. The
    second call waits for all the rest, since every wait starts Ansible again.

    Args:
        facts: the planner's input.
        up_to: the needed phase; None for the phase that the machines are at.
    """
    record = facts.record
    if record is None or not record.restored_at or (up_to is not None and up_to.plays <= record.awaited):
        return []
    last = next((phase for phase in facts.phases if phase.name == record.reached), facts.phases[-1])
    needed = last if record.awaited or up_to is None else up_to
    end = min(last, needed, key=lambda phase: phase.plays)
    return [AwaitRestored(record.awaited, end, complete=end.plays == last.plays)]
