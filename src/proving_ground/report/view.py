"""Prepare a run's data for the template, in the order of a reader's questions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from proving_ground.core.errors import HarnessError
from proving_ground.report.chart import Chart, Span, chart, duration, grid_picture
from proving_ground.report.critical_path import critical_path
from proving_ground.report.facts import Facts
from proving_ground.report.phases import FAILED, Phase, phases, role_runs
from proving_ground.report.results import Result, shortened

SLOWEST = 8
"""Number of tasks of a converge that the page shows at once; a click shows the others."""

CAUSE = 1500
"""Characters of the first cause at the top of the page; the failure below has the whole text."""

ENDINGS = {
    1: "tests failed",
    2: "interrupted",
    3: "pytest itself failed",
    4: "pytest got a wrong option or argument",
    5: "no test ran",
}
"""pytest's own exit codes → headline; the classes of HarnessError have their own texts."""


def view(facts: Facts) -> dict[str, Any]:
    """Return the template's variables."""
    found = phases(facts.notes, facts.ended)
    return {
        "facts": facts,
        "headline": headline(facts),
        "good": facts.exit_code == 0,
        "counts": facts.counts,
        "evidence": facts.evidence,
        "cause": first_cause(facts),
        "failures": [result for result in facts.results if result.red],
        "timeline": timeline(found, facts.results),
        "converges": [converge(phase, [node.name for node in facts.topology.nodes]) for phase in found if phase.tasks],
        "groups": [(group, facts.topology.group(group)) for group in facts.topology.groups],
        "red_hosts": red_hosts(facts, found),
        "files": list(files(facts.results)),
        "sections": [(section, [grid_picture(grid) for grid in section.grids]) for section in facts.sections],
    }


def headline(facts: Facts) -> str:
    """Return a short text about the run's result."""
    if facts.exit_code == 0:
        return f"{facts.counts.get('passed', 0)} tests passed"
    kinds = {
        kind.exit_code: (kind.__doc__ or "").partition("\n")[0].rstrip(".") for kind in HarnessError.__subclasses__()
    }
    red = sum(result.red for result in facts.results)
    if facts.exit_code == 1 and red:
        return f"{red} of {len(facts.results)} tests failed"
    return kinds.get(facts.exit_code) or ENDINGS.get(facts.exit_code) or f"ended with exit code {facts.exit_code}"


def first_cause(facts: Facts) -> dict[str, str] | None:
    """Return the first error outside of tests, or else the first red test: what, hint, host, log, and test."""
    cause = next((note for note in facts.notes if note.get("kind") == "cause"), None)
    if cause is not None:
        texts = {name: str(cause.get(name, "")) for name in ("what", "hint", "host", "log")}
        log = Path(texts["log"])
        texts["log"] = (
            str(log.relative_to(facts.settings.artifacts)) if log.is_relative_to(facts.settings.artifacts) else ""
        )
        texts["host"] = texts["host"] or _hosts(facts, texts["what"])
        return {**texts, "what": shortened(texts["what"], CAUSE), "test": ""}
    first = next((result for result in facts.results if result.red), None)
    if first is None:
        return None
    message = first.failures[0].message if first.failures else ""
    host = _hosts(facts, first.nodeid) or _hosts(facts, message)
    return {"what": shortened(message, CAUSE), "hint": "", "host": host, "log": "", "test": first.nodeid}


def _hosts(facts: Facts, text: str) -> str:
    return ", ".join(node.name for node in facts.topology.named_in(text))


def timeline(found: Sequence[Phase], results: Sequence[Result]) -> Chart | None:
    """Return the chart of the run's time: a lane for each phase, and one for all tests."""
    lanes = [(phase.name, [_phase_span(phase)]) for phase in found]
    tests = [
        Span(*result.called, result.outcome, f"{result.nodeid}: {result.outcome}, {duration(_length(result.called))}")
        for result in results
        if result.called
    ]
    return chart([*lanes, ("tests", tests)] if tests else lanes)


def _phase_span(phase: Phase) -> Span:
    label = duration(phase.seconds) + ("" if phase.outcome == "done" else f", {phase.outcome}")
    tone = "phase" if phase.outcome == "done" else "failed"
    return Span(phase.start, phase.end, tone, f"{phase.name}: {phase.outcome} in {duration(phase.seconds)}", label)


def _length(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def converge(phase: Phase, names: Sequence[str]) -> dict[str, Any]:
    """Return the data of one run of the playbook: counts, a chart by host, tasks (failed first, then slowest first).

    ``names`` are the machines in the chart's order; other hosts, such as localhost, come last.
    """
    timed = [task for task in phase.tasks if task.start and task.status != "skipped"]
    roles = [
        Span(start, end, f"role{number % 2}", f"{role}: {duration(end - start)}", role.rpartition("/")[2])
        for number, (role, start, end) in enumerate(role_runs(timed))
    ]
    lanes: list[tuple[str, list[Span]]] = [("role", [_fitting(span, phase) for span in roles])] if roles else []
    present = dict.fromkeys(task.host for task in timed)
    for host in sorted(present, key=lambda host: names.index(host) if host in names else len(names)):
        mine = [task for task in timed if task.host == host]
        texts = [f"{task}: {task.status}, {duration(task.seconds)}" for task in mine]
        spans = [
            Span(task.start, task.start + task.seconds, task.status, text)
            for task, text in zip(mine, texts, strict=True)
        ]
        lanes.append((host, spans))
    done = [task for task in phase.tasks if task.status != "skipped"]
    done.sort(key=lambda task: (task.status not in FAILED, -task.seconds))
    return {
        "phase": phase,
        "counts": dict(Counter(task.status for task in phase.tasks).most_common()),
        "hosts": len({task.host for task in phase.tasks}),
        "chart": chart(lanes),
        "path": critical_path(phase),
        "slowest": done[:SLOWEST],
        "others": done[SLOWEST:],
    }


def _fitting(span: Span, phase: Phase) -> Span:
    """Remove the label of a role's bar if it does not fit into the bar: there is no room beside it."""
    room = (span.end - span.start) / max(phase.seconds, 0.001) * 850
    return span if 7 * len(span.label) + 8 <= room else Span(span.start, span.end, span.tone, span.text)


def red_hosts(facts: Facts, found: Sequence[Phase]) -> frozenset[str]:
    """Return the names of the machines of failed tasks, of red tests, and of the first cause."""
    tasks = {task.host for phase in found for task in phase.tasks if task.status in FAILED}
    tests = {node.name for result in facts.results if result.red for node in facts.topology.named_in(result.nodeid)}
    cause = first_cause(facts)
    return frozenset(tasks | tests | {node.name for node in facts.topology.named_in(cause["host"] if cause else "")})


def files(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Yield the tests by file: red files first, then the slowest first; tests within a file in the same order."""
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result.file, []).append(result)
    for name, members in sorted(
        by_file.items(), key=lambda item: (not any(each.red for each in item[1]), -_total(item[1]))
    ):
        yield {
            "name": name,
            "seconds": _total(members),
            "counts": dict(Counter(each.outcome for each in members)),
            "red": any(each.red for each in members),
            "results": sorted(members, key=lambda each: (not each.red, -each.seconds)),
        }


def _total(results: Sequence[Result]) -> float:
    return sum(result.seconds for result in results)
