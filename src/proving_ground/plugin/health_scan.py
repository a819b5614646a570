"""After a green run, before machines are removed, ask all of them at once for trouble that no test saw."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

import pytest

from proving_ground.core.redact import redact
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.diagnostics.collectors import on_machine, run_collectors
from proving_ground.diagnostics.findings import Finding, HealthCheck, distinct
from proving_ground.diagnostics.journal import JOURNAL, read
from proving_ground.plugin.run import Run, run_of
from proving_ground.process.commands import last_words

FILE = "findings.json"


@dataclass(frozen=True)
class Scan:
    """What came of asking.

    Attributes:
        machines: how many machines there are.
        sources: what was looked into.
        findings: each once.
        unanswered: host and source that did not tell all, and why.
        seconds: how long it took.
    """

    machines: int
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    unanswered: dict[str, str]
    seconds: float


def pytest_proving_ground_end(session: pytest.Session) -> None:
    """Scan machines that are converged, when all is green.

    A red run has its evidence already and is not to be delayed; one that was broken off says nothing.
    """
    run = run_of(session.config)
    ended_well = session.exitstatus == pytest.ExitCode.OK and not run.is_red
    if ended_well and run.record is not None and run.record.phase == "converged":
        run.scan = _scan(run)


def _scan(run: Run) -> Scan:
    start = time.monotonic()
    settings, topology = run.settings, run.topology
    added, failed = _added(run.config)
    checks = [*of_machines(settings, topology), *added]
    findings, unanswered = ask(checks, run.timeouts)
    sources = tuple(dict.fromkeys(each.source for each in checks))
    scan = Scan(len(topology.nodes), sources, tuple(findings), unanswered | failed, time.monotonic() - start)
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    (settings.artifacts / FILE).write_text(json.dumps(asdict(scan), indent=2) + "\n", encoding="utf-8")
    return scan


def of_machines(settings: Settings, topology: Topology) -> list[HealthCheck]:
    """What every machine is asked: its journal since it started."""
    return [
        HealthCheck(node.name, "journal", on_machine(settings, node.name, node.name, JOURNAL), partial(read, node.name))
        for node in topology.nodes
    ]


def _added(config: pytest.Config) -> tuple[list[HealthCheck], dict[str, str]]:
    """The project's own checks; its mistake in naming them is told, and makes no green run red."""
    try:
        named = config.hook.pytest_proving_ground_health_checks(config=config)
    except Exception as error:
        return [], {"pytest_proving_ground_health_checks": _cause(error)}
    return [check for each in named for check in each], {}


def ask(checks: Sequence[HealthCheck], timeouts: Timeouts) -> tuple[list[Finding], dict[str, str]]:
    """Ask everybody at the same time.

    Returns:
        The findings, each once; and who did not tell all, with the reason: of these nothing else is known.
    """
    found: list[Finding] = []
    unanswered: dict[str, str] = {}
    for check, (_, seen) in zip(checks, run_collectors([each.look for each in checks], timeouts), strict=True):
        trouble = seen.trouble
        try:
            for finding in check.read(seen.text):  # what comes before a mistake counts
                found.append(finding)
        except Exception as error:
            trouble = trouble or _cause(error)
        if trouble:
            # What a program says when it fails is the reason; what it said when its time was up is not.
            words = last_words(seen.text) if trouble.startswith("ended") else ""
            unanswered[f"{check.host}: {check.source}"] = redact(f"{trouble}: {words}" if words else trouble)
    return distinct(found), unanswered


def _cause(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The findings, and who could not be asked; or in one line that there are none."""
    scan = run_of(config).scan
    if scan is None:
        return
    where = f"{', '.join(scan.sources)}; {scan.machines} machines, since boot, {scan.seconds:.1f} s"
    if not scan.findings and not scan.unanswered:
        terminalreporter.write_line(f"no findings after a green run: {where}")
        return
    terminalreporter.section(f"findings after a green run: {len(scan.findings)}", yellow=True)
    for finding in scan.findings:
        terminalreporter.write_line(str(finding))
    for name, reason in scan.unanswered.items():
        terminalreporter.write_line(f"not scanned, or not all of it: {name}: {reason}")
    terminalreporter.write_line(f"({where}; as data in {FILE} of the run's artifacts)")
