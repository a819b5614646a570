"""Gather a run's data and write its report."""

from __future__ import annotations

import shlex
import time

from proving_ground.plugin.debug_hints import access_commands, rerun_commands
from proving_ground.plugin.failure_evidence import folder_name
from proving_ground.plugin.run import Run
from proving_ground.report.facts import Facts
from proving_ground.report.page import render
from proving_ground.report.results import counts, results
from proving_ground.report.sections import Section

NAME = "report.html"


def write(run: Run, exit_code: int) -> None:
    """Write ``report.html`` into the run's artifacts, if the run has a timeline, that is, used machines."""
    settings = run.settings
    if not run.timeline.path.exists():
        return
    page = render(gather(run, exit_code))
    draft = settings.artifacts / f".{NAME}"
    draft.write_text(page, encoding="utf-8")
    draft.replace(settings.artifacts / NAME)
    path = (settings.artifacts / NAME).relative_to(settings.root)
    run.closing_lines.append(f"report: {path}")


def gather(run: Run, exit_code: int) -> Facts:
    """Return all data of the run."""
    config, settings, topology = run.config, run.settings, run.topology
    reporter = config.pluginmanager.getplugin("terminalreporter")
    stats = reporter.stats if reporter is not None else {}
    found = results(stats)
    red = [result.nodeid for result in found if result.red]
    up = run.record is not None
    concerned = [node.name for node in topology.named_in("\n".join(red))]
    command = shlex.join(["pytest", *(str(word) for word in config.invocation_params.args)])
    evidence = {}
    for nodeid in red:
        folder = settings.artifacts / folder_name(nodeid)
        if folder.is_dir():
            evidence[nodeid] = [f"{folder.name}/{file.name}" for file in sorted(folder.iterdir())]
    return Facts(
        settings,
        topology,
        began=run.began,
        ended=time.time(),
        exit_code=exit_code,
        command=command,
        notes=run.timeline.read(),
        counts=counts(stats),
        results=found,
        evidence=evidence,
        files=sorted(file.name for file in settings.artifacts.iterdir() if file.is_file() and file.name != NAME),
        again=list(rerun_commands(settings, red, reuse=up)) if red else [command],
        access_commands=list(access_commands(settings, topology, concerned)) if up else [],
        sections=added(run),
    )


def added(run: Run) -> list[Section]:
    """Return the sections of the project's hooks; after an error in a hook, none, and a warning."""
    try:
        return [
            section for each in run.config.hook.pytest_proving_ground_sections(config=run.config) for section in each
        ]
    except Exception as error:
        words = " ".join(str(error).split())
        run.closing_lines.append(f"warning: the report lacks its sections: {type(error).__name__}: {words}")
        return []
