"""Collect evidence right after a failed test, from all machines at once, before anything changes."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from proving_ground.core.redact import redact
from proving_ground.core.timeouts import Timeouts
from proving_ground.diagnostics.collectors import MACHINE, Collector, on_machine, run_collectors
from proving_ground.plugin.fixtures import has_machines
from proving_ground.plugin.run import run_of

MOST = 5
"""Collect evidence for so many failures of a run: one cause makes many tests fail, and the first are nearest to it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - the hook's own arguments
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect evidence before the teardown of the test's fixtures; the report names the folder."""
    report = yield
    if report.failed and report.when in {"setup", "call"} and has_machines(item):
        run = run_of(item.config)
        if len(run.evidence) < MOST if run.shared is None else run.shared.claim("evidence", MOST):
            folder = run.settings.artifacts / folder_name(item.nodeid)
            wanted = [*collectors(item)]
            if not wanted:
                return report
            seconds = collect(wanted, folder, run.timeouts)
            run.evidence.append(folder)
            report.sections.append(("evidence", f"{_shown(folder, item.config)} (collected in {seconds:.1f} s)"))
        else:
            report.sections.append(("evidence", f"none: {MOST} earlier failures have evidence, the most in one run"))
    return report


def collectors(item: pytest.Item) -> Iterator[Collector]:
    """Yield the collectors of the machines in the test's node id, or of all machines; then the project's collectors."""
    run = run_of(item.config)
    # Hosts of an inventory are reached as it says, which a plain command line cannot do.
    nodes = () if run.settings.is_existing else run.topology.named_in(item.nodeid) or run.topology.nodes
    for node in nodes:
        yield on_machine(run.settings, node.name, node.name, MACHINE)
    for added in item.ihook.pytest_proving_ground_collectors(item=item):
        yield from added


def collect(wanted: Sequence[Collector], folder: Path, timeouts: Timeouts) -> float:
    """Run all collectors at the same time and write a file for each; returns the seconds that it took.

    It raises no error of a collector: the file says why its text may be incomplete.
    """
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    for look, seen in run_collectors(wanted, timeouts):
        text = f"{seen.text}\n({seen.trouble})\n" if seen.trouble else seen.text
        (folder / f"{look.name}.txt").write_text(redact(text), encoding="utf-8")
    return time.monotonic() - start


def folder_name(nodeid: str) -> str:
    """Convert a test's node id to a readable folder name without special characters of shells and file systems."""
    file, _, test = nodeid.partition("::")
    return re.sub(r"[^\w.-]+", "-", f"{Path(file).stem}-{test}").strip("-.")[:120]


def _shown(path: Path, config: pytest.Config) -> str:
    return str(path.relative_to(config.rootpath)) if path.is_relative_to(config.rootpath) else str(path)
