"""Findings: problems on machines although all tests passed; each is reported once. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from proving_ground.core.redact import redact
from proving_ground.diagnostics.collectors import Collector

LONGEST = 300
"""Characters of a finding's line; the rest is cut off."""


class UnreadableError(Exception):
    """A collector's output is incomplete; the text says what is missing."""


@dataclass(frozen=True)
class Finding:
    """Something that happened and should not have.

    Attributes:
        host: the machine's name, or ``cluster``.
        what: the kind: ``panic``, ``out of memory``, ``restarted by itself``.
        subject: the unit or container.
        line: the log line.
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
    """A collector whose output may contain findings.

    Attributes:
        host: the machine's name, or ``cluster``.
        source: what it checks, in a word or two: ``journal``.
        look: the collector.
        read: yields the findings in the collector's output; raises UnreadableError, or any error of its parser, if the
            output is incomplete or invalid. Findings that it yielded before still count.
    """

    host: str
    source: str
    look: Collector
    read: Callable[[str], Iterable[Finding]]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Return each finding once, in order and without secrets; findings that differ only in numbers are the same."""
    found: dict[tuple[str, ...], Finding] = {}
    for each in findings:
        finding = replace(each, line=redact(" ".join(each.line.split()))[:LONGEST])
        key = (finding.host, finding.what, finding.subject, re.sub(r"0x[0-9a-f]+|\d+", "#", finding.line))
        first = found.setdefault(key, replace(finding, count=0))
        found[key] = replace(first, count=first.count + finding.count)
    return list(found.values())
