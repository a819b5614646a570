"""After a green run, before machines are removed, check all of them at once for problems that no test saw."""

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

SECONDS = 30.0
"""Time-out of a check, in seconds. A machine that has been up for long has a long journal, and other tests may run
beside the search; evidence of a failed test, for which somebody waits, has less time."""


@dataclass(frozen=True)
class Scan:
    """The result of a scan.

    Attributes:
        machines: number of machines.
        sources: names of the sources that were checked.
        findings: each once.
        unanswered: host and source of an incomplete check → the reason.
        seconds: how long the scan took.
    """

    machines: int
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    unanswered: dict[str, str]
    seconds: float


def pytest_proving_ground_end(session: pytest.Session) -> None:
    """Scan converged machines after a green run.

    A red run has its evidence already, and a scan would delay it; an interrupted run has no verdict.
    """
    run = run_of(session.config)
    ended_well = session.exitstatus == pytest.ExitCode.OK and not run.is_red
    has_journals = not run.settings.is_existing  # on hosts of an inventory nobody asked for a search
    if ended_well and has_journals and run.record is not None and run.record.phase == "converged":
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
    """Return a check of every machine's journal since boot; containers without systemd have none."""
    if settings.engine and settings.project.init == "none":
        return []
    return [
        HealthCheck(node.name, "journal", on_machine(settings, node.name, node.name, JOURNAL), partial(read, node.name))
        for node in topology.nodes
    ]


def _added(config: pytest.Config) -> tuple[list[HealthCheck], dict[str, str]]:
    """Return the checks of the project's hooks; an error in a hook is reported, but leaves the run green."""
    try:
        named = config.hook.pytest_proving_ground_health_checks(config=config)
    except Exception as error:
        return [], {"pytest_proving_ground_health_checks": _cause(error)}
    return [check for each in named for check in each], {}


def ask(checks: Sequence[HealthCheck], timeouts: Timeouts) -> tuple[list[Finding], dict[str, str]]:
    """Run all checks at the same time.

    Returns:
        The findings, each once; and the incomplete checks with their reasons.
    """
    found: list[Finding] = []
    unanswered: dict[str, str] = {}
    looks = run_collectors([each.look for each in checks], timeouts, SECONDS)
    for check, (_, seen) in zip(checks, looks, strict=True):
        trouble = seen.trouble
        try:
            for finding in check.read(seen.text):  # findings before an error count
                found.append(finding)
        except Exception as error:
            trouble = trouble or _cause(error)
        if trouble:
            # The output of a program that failed has the reason; the output before a time-out has not.
            words = last_words(seen.text) if trouble.startswith("ended") else ""
            unanswered[f"{check.host}: {check.source}"] = redact(f"{trouble}: {words}" if words else trouble)
    return distinct(found), unanswered


def _cause(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the findings and the incomplete checks, or one line if there are none."""
    scan = run_of(config).scan
    if scan is None:
        return
    machines = "1 machine" if scan.machines == 1 else f"{scan.machines} machines"
    where = f"{', '.join(scan.sources)}; {machines}, since boot, {scan.seconds:.1f} s"
    if not scan.findings and not scan.unanswered:
        terminalreporter.write_line(f"no findings after a green run: {where}")
        return
    terminalreporter.section(f"findings after a green run: {len(scan.findings)}", yellow=True)
    for finding in scan.findings:
        terminalreporter.write_line(str(finding))
    for name, reason in scan.unanswered.items():
        terminalreporter.write_line(f"not or only partly scanned: {name}: {reason}")
    terminalreporter.write_line(f"({where}; as data in {FILE} of the run's artifacts)")
