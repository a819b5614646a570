"""The fixture ``pg_availability``: measure how long a service does not answer while a test disturbs it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pytest

from proving_ground.availability.watch import Probe, Watch
from proving_ground.core.timeline import Timeline
from proving_ground.plugin.run import run_of

PROPERTY = "availability"
"""The name of the property in a test's report, and the kind of its entry in the run's timeline."""

VERDICTS = ("", "good", "late", "bad")
"""From the best to the worst."""


class Availability(Protocol):
    """Makes a watch of probes; arguments as in :class:`watch.Watch`."""

    def __call__(
        self,
        probes: Mapping[str, Probe] | None = None,
        /,
        *,
        interval: float = 0.1,
        timeout: float = 1.0,
        ready_within: float = 10.0,
        **named: Probe,
    ) -> Watch:
        """Return a context manager; within its block, and until its end, it asks the probes."""


@dataclass(frozen=True)
class Measured:
    """What a watch has measured, as JSON holds it.

    Attributes:
        test: the test's node id.
        gaps: probe → its longest gap in seconds.
        verdicts: probe → ``good``, ``late`` (longer than wanted) or ``bad``; empty if the test named no bounds.
        wanted: seconds, or None.
        most: seconds, or None.
        failures: the timeline of the failures, as text.
    """

    test: str
    gaps: Mapping[str, float]
    verdicts: Mapping[str, str]
    wanted: float | None
    most: float | None
    failures: str

    @property
    def verdict(self) -> str:
        """The worst of its verdicts."""
        return max(self.verdicts.values(), key=VERDICTS.index)

    def __str__(self) -> str:
        worst = max(self.gaps, key=lambda name: self.gaps[name])
        bounds = "" if self.most is None else f" (wanted {self.wanted:g} s, red above {self.most:g} s)"
        return f"{self.test}: longest gap {self.gaps[worst]:.2f} s, of {worst}{bounds}"


@pytest.fixture
def pg_availability(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, pg_timeline: Timeline
) -> Iterator[Availability]:
    """Measures how long a service does not answer while the test disturbs it.

    ``with pg_availability(read=probe) as seen: ...`` asks the probe ten times a second, in a thread of its own;
    ``seen.assert_gap(wanted=5, most=10)`` judges it. Results are in the report and in JUnit's properties.
    """
    made: list[Watch] = []

    def make(probes: Mapping[str, Probe] | None = None, /, **options: Any) -> Watch:
        own = {name: options.pop(name) for name in ("interval", "timeout", "ready_within") if name in options}
        made.append(Watch({**(probes or {}), **options}, timeouts=run_of(pytestconfig).timeouts, **own))
        return made[-1]

    yield cast(Availability, make)
    for watch in made:
        if watch.was_ready:
            facts = _facts(request.node.nodeid, watch)
            request.node.user_properties.append((PROPERTY, json.dumps(facts)))
            pg_timeline.note(PROPERTY, **facts)


def _facts(test: str, watch: Watch) -> dict[str, Any]:
    wanted, most = watch.bounds or (None, None)
    gaps = {name: round(gap, 3) for name, gap in watch.gaps.items()}
    return {
        **{"test": test, "gaps": gaps, "verdicts": watch.verdicts, "wanted": wanted, "most": most},
        "failures": watch.failures,
    }


def measured(reports: Iterable[Any]) -> list[Measured]:
    """Return what the reports have, each once, although a test has several reports."""
    values = dict.fromkeys(
        str(value) for report in reports for name, value in getattr(report, "user_properties", []) if name == PROPERTY
    )
    return [Measured(**json.loads(value)) for value in values]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the gaps that were longer than wanted; if there are none, the longest gap of the run."""
    found = measured(report for each in terminalreporter.stats.values() for report in each)
    late = [each for each in found if each.verdict == "late"]
    if late:
        terminalreporter.section(f"findings: {len(late)} of {len(found)} gaps longer than wanted", yellow=True)
        for each in late:
            terminalreporter.write_line(str(each))
            for line in each.failures.splitlines():
                terminalreporter.write_line(f"  {line}")
    elif found:
        longest = max(found, key=lambda each: max(each.gaps.values()))
        terminalreporter.write_line(f"availability: {len(found)} measured; {longest}")
