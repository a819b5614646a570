"""Everything that a report is made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.report.phases import Note
from proving_ground.report.results import Result
from proving_ground.report.sections import Section


@dataclass(frozen=True)
class Facts:
    """All that is known of a run when it has ended.

    Attributes:
        settings: what it was asked to do.
        topology: the plan of its machines.
        began: seconds since 1970.
        ended: seconds since 1970.
        exit_code: the process's.
        command: as it was typed.
        notes: the run's timeline.
        counts: outcome → how many, worst first.
        results: of its tests, in the order in which they began.
        evidence: a red test's name → files about it, relative to the report.
        files: further files of the run, relative to the report.
        again: commands that run again what is red.
        access_commands: commands that reach the machines, where they are up.
        sections: what the project adds.
    """

    settings: Settings
    topology: Topology
    began: float
    ended: float
    exit_code: int
    command: str
    notes: Sequence[Note] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    results: Sequence[Result] = ()
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Sequence[str] = ()
    again: Sequence[str] = ()
    access_commands: Sequence[str] = ()
    sections: Sequence[Section] = ()
