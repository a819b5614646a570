"""The steps of a run as data: ``planner`` makes them, ``executor`` runs them."""

from __future__ import annotations

from dataclasses import dataclass

from proving_ground.ansible.phases import Phase


@dataclass(frozen=True)
class Remove:
    """Remove the existing machines.

    Attributes:
        why: the reason, as the end of a sentence.
    """

    why: str

    def __str__(self) -> str:
        return f"remove the machines: {self.why}"


@dataclass(frozen=True)
class CheckReachable:
    """Check that every machine answers."""

    def __str__(self) -> str:
        return "check that every machine answers"


@dataclass(frozen=True)
class Create:
    """Create new machines.

    Attributes:
        key: the key of the phase before any play; empty without checkpoints.
    """

    key: str = ""

    def __str__(self) -> str:
        return "create the machines"


@dataclass(frozen=True)
class Prepare:
    """Run the playbook that prepares new machines.

    Attributes:
        playbook: its path, relative to the project's root directory.
    """

    playbook: str

    def __str__(self) -> str:
        return f"prepare: run {self.playbook}"


@dataclass(frozen=True)
class Restore:
    """Restore machines from a checkpoint.

    Attributes:
        phase: the phase of the checkpoint.
        key: the key of the checkpoint.
        in_place: whether the machines exist and store the checkpoint themselves.
    """

    phase: Phase
    key: str
    in_place: bool = False

    def __str__(self) -> str:
        return f"restore the machines from checkpoint {self.phase.name} ({self.key})"


@dataclass(frozen=True)
class Save:
    """Save the machines as a checkpoint.

    Attributes:
        phase: the phase that the machines are at.
        key: the key of the checkpoint.
    """

    phase: Phase
    key: str

    def __str__(self) -> str:
        return f"save checkpoint {self.phase.name} ({self.key})"


@dataclass(frozen=True)
class AwaitRestored:
    """Wait until services on restored machines are running.

    Attributes:
        begin: number of the first play whose services to wait for.
        end: the last phase whose services to wait for.
        complete: whether no service is left to wait for afterwards.
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
        key: the key of ``phase``.
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
        key: the key of the last phase.
        name: what the step is called: ``converge`` or ``idempotence``.
        arguments: further arguments for ``ansible-playbook``.
    """

    key: str
    name: str = "converge"
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: run the whole playbook"


@dataclass(frozen=True)
class MarkConverged:
    """Record in the ledger that the machines are converged.

    Attributes:
        key: the key of the last phase.
    """

    key: str

    def __str__(self) -> str:
        return "note that the machines are converged"


Step = (
    Remove
    | CheckReachable
    | Create
    | Prepare
    | Restore
    | Save
    | AwaitRestored
    | ConvergePhase
    | ConvergeAll
    | MarkConverged
)
