"""Findings: what went wrong although all tests passed; each is reported once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from proving_ground.core.redact import redact
from proving_ground.diagnostics.collectors import Collector

LONGEST = 300
"""Characters of a line that are told."""


class UnreadableError(Exception):
    """What a look has shown does not tell all that was asked; the text says what is lacking."""


@dataclass(frozen=True)
class Finding:
    """Something that happened and should not have.

    Attributes:
        host: the machine's name, or whatever else was asked.
        what: the kind: ``panic``, ``out of memory``, ``restarted by itself``.
        subject: the unit or container that it happened to.
        line: the words in which it was noted.
        count: how often it happened.
    """

    host: str
    what: str
    subject: str
    line: str
    count: int = 1

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.host}: {self.what}: {self.subject}: {self.line}{times}"


@dataclass(frozen=True)
class HealthCheck:
    """A look that may show findings.

    Attributes:
        host: who is asked: a machine's name, or ``cluster``.
        source: what for, in a word or two: ``journal``.
        look: what to look at.
        read: yields the findings in the text that the look has shown; raises UnreadableError, or whatever its parser
            raises, as soon as that text turns out not to be what was asked for. What came before counts.
    """

    host: str
    source: str
    look: Collector
    read: Callable[[str], Iterable[Finding]]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, in their order and without secrets; what differs in numbers alone is the same."""
    found: dict[tuple[str, ...], Finding] = {}
    for each in findings:
        finding = replace(each, line=redact(" ".join(each.line.split()))[:LONGEST])
        key = (finding.host, finding.what, finding.subject, re.sub(r"0x[0-9a-f]+|\d+", "#", finding.line))
        first = found.setdefault(key, replace(finding, count=0))
        found[key] = replace(first, count=first.count + finding.count)
    return list(found.values())
