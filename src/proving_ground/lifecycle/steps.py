"""The steps that a run can take with machines, as data that ``planner`` makes and ``executor`` takes."""

from __future__ import annotations

from dataclasses import dataclass

from proving_ground.ansible.phases import Phase


@dataclass(frozen=True)
class Remove:
    """Remove the machines that there are.

    Attributes:
        why: the reason, as the rest of a sentence.
    """

    why: str

    def __str__(self) -> str:
        return f"remove the machines: {self.why}"


@dataclass(frozen=True)
class CheckReachable:
    """Find every machine that is up answering."""

    def __str__(self) -> str:
        return "check that every machine answers"


@dataclass(frozen=True)
class Create:
    """Make new machines."""

    def __str__(self) -> str:
        return "create the machines"


@dataclass(frozen=True)
class Restore:
    """Have machines as a checkpoint has saved them.

    Attributes:
        phase: that they are at then.
        key: of the checkpoint.
        in_place: whether the machines are there, and hold the checkpoint themselves.
    """

    phase: Phase
    key: str
    in_place: bool = False

    def __str__(self) -> str:
        return f"restore the machines from checkpoint {self.phase.name} ({self.key})"


@dataclass(frozen=True)
class Save:
    """Save the machines as they are.

    Attributes:
        phase: that they are at.
        key: by which the checkpoint is found.
    """

    phase: Phase
    key: str

    def __str__(self) -> str:
        return f"save checkpoint {self.phase.name} ({self.key})"


@dataclass(frozen=True)
class AwaitRestored:
    """Wait until what runs on restored machines does so again.

    Attributes:
        begin: number of the first play whose services are awaited.
        end: phase up to which they are.
        complete: whether nothing is left to be awaited then.
    """

    begin: int
    end: Phase
    complete: bool = True

    def __str__(self) -> str:
        return f"wait for what runs on the restored machines, up to phase {self.end.name}"


@dataclass(frozen=True)
class ConvergePhase:
    """Run the plays of one phase.

    Attributes:
        before: the phase that the machines are at.
        phase: the phase that they are at afterwards.
        key: content that leads there.
    """

    before: Phase
    phase: Phase
    key: str

    def __str__(self) -> str:
        return f"converge phase {self.phase.name}: plays {self.before.plays + 1} to {self.phase.plays}"


@dataclass(frozen=True)
class ConvergeAll:
    """Run the whole playbook.

    Attributes:
        key: content that the machines are converged with then.
        arguments: further ones for ``ansible-playbook``.
    """

    key: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "converge: run the whole playbook"


@dataclass(frozen=True)
class MarkConverged:
    """Note that the machines are converged.

    Attributes:
        key: content that they are converged with.
    """

    key: str

    def __str__(self) -> str:
        return "note that the machines are converged"


Step = Remove | CheckReachable | Create | Restore | Save | AwaitRestored | ConvergePhase | ConvergeAll | MarkConverged
