"""The data of a report. Pure."""

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
    """All data of a run after its end.

    Attributes:
        settings: the run's settings.
        topology: the topology of its machines.
        began: seconds since 1970.
        ended: seconds since 1970.
        exit_code: pytest's exit code.
        command: pytest's command line.
        notes: the run's timeline.
        counts: outcome → number of tests, worst first.
        results: results of the tests, in the order in which they began.
        evidence: a red test's name → files of its evidence, relative to the report.
        files: further files of the run, relative to the report.
        again: commands that run the red tests again.
        access_commands: commands that reach the machines, if they are up.
        sections: the project's sections.
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
