"""Measures every phase of a run against its target: ``make bench``, or ``make bench PHASES="converge again"``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "artifacts" / "bench"
PYTEST = [sys.executable, "-m", "pytest"]
SUITES = ["tests"]
COMMAND = [sys.executable, "-m", "proving_ground.cli"]
AS_USERS_HAVE_IT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment with Python's bytecode cache, as users have it; without it, every run compiles every file again."""

UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Phase:
    """One measurement.

    Attributes:
        name: its name on the command line.
        what: its description in the table.
        target: the largest acceptable value, in ``unit``.
        measure: takes the log and returns the value in ``unit``.
        unit: s or GiB.
        usual: whether it is measured by default.
    """

    name: str
    what: str
    target: float | None
    measure: Callable[[Path], float]
    unit: str = "s"
    usual: bool = True


@dataclass(frozen=True)
class Sum:
    """A row that follows from other rows: the sum of some phases, or its ratio to the sum of others.

    Attributes:
        what: its description in the table.
        of: names of phases.
        over: names of the phases that it is divided by; none for a mere sum.
        target: its largest acceptable value.
        unit: empty for a ratio.
    """

    what: str
    of: tuple[str, ...]
    over: tuple[str, ...]
    target: float | None
    unit: str = ""

    def value(self, values: Mapping[str, float]) -> float | None:
        """Return it for the values of phases by their names; None as long as one of them is missing."""
        if not values.keys() >= {*self.of, *self.over}:
            return None
        divisor = sum(values[name] for name in self.over) if self.over else 1
        return sum(values[name] for name in self.of) / divisor


def timed(*command: str) -> Callable[[Path], float]:
    """Return a measurement of the seconds that ``command`` takes; its output goes to the log."""

    def measure(log: Path) -> float:
        start = time.monotonic()
        run(list(command), log, AS_USERS_HAVE_IT)
        return time.monotonic() - start

    return measure


def timed_again(*command: str) -> Callable[[Path], float]:
    """Return a measurement of the second call of ``command``: the first one compiles changed modules."""
    once = timed(*command)

    def measure(log: Path) -> float:
        once(log)
        return once(log)

    return measure


def run(command: list[str], log: Path, environment: dict[str, str]) -> None:
    """Run a command; raises SystemExit with the end of its log if it fails."""
    with log.open("wb") as output:
        result = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
        )
    if result.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise SystemExit(f"{' '.join(command)} ended with status {result.returncode}:\n{tail}\n(log: {log})")


def cold_depot(log: Path) -> float:
    """Return the seconds to fill an empty depot with empty caches of Go."""
    directory = tempfile.mkdtemp(prefix="proving-ground-bench-")
    places = {name: f"{directory}/{name.lower()}" for name in ("GOCACHE", "GOMODCACHE", "XDG_CACHE_HOME")}
    try:
        start = time.monotonic()
        run(
            [*COMMAND, "depot", "fill"],
            log,
            {**os.environ, **places, "GOFLAGS": "-modcacherw"},
        )
        return time.monotonic() - start
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def memory(log: Path) -> float:
    """Return the GiB that the machines' containers on this host use, without page cache."""
    docker = ["docker", "ps", "--quiet", "--filter", "label=proving-ground.checkout"]
    containers = subprocess.run(docker, capture_output=True, text=True, check=True).stdout.split()
    command = ["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *containers]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    log.write_text(text, encoding="utf-8")
    used = re.findall(r"^\S+ ([\d.]+)(\w+) /", text, flags=re.MULTILINE)
    return sum(float(number) * UNITS[unit] for number, unit in used) / 2**30


def checkpoints(log: Path) -> float:
    """Return the seconds of the longest save, while a cluster is built from nothing and saved after each phase."""
    run([*COMMAND, "destroy"], log, AS_USERS_HAVE_IT)
    run([*COMMAND, "checkpoints", "--prune", "all"], log, AS_USERS_HAVE_IT)
    run([*COMMAND, "up", "--checkpoints"], log, AS_USERS_HAVE_IT)
    found = re.findall(r"checkpoint \S+ done in ([\d.]+) s", log.read_text(encoding="utf-8"))
    return max(float(seconds) for seconds in found)


def restore(log: Path) -> float:
    """Return the seconds from no machines, with a checkpoint of the last phase, to the first passed smoke test."""
    run([*COMMAND, "destroy"], log, AS_USERS_HAVE_IT)
    command = [*PYTEST, "-v", "--color=no", "--pg-checkpoints", "--pg-keep=always", "-m", "smoke", *SUITES]
    start = time.monotonic()
    first = None
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=AS_USERS_HAVE_IT) as process,
    ):
        assert process.stdout is not None, "it was asked for"
        for line in process.stdout:
            if first is None and " PASSED " in line:
                first = time.monotonic() - start
            output.write(line)
    if process.returncode != 0 or first is None:
        raise SystemExit(f"smoke tests on a restored cluster ended with status {process.returncode} (log: {log})")
    return first


def changed_task(log: Path) -> float:
    """Return the seconds from a changed task of the workers' role to the result of that role's tests."""
    file = ROOT / "roles" / "configure" / "kube-worker" / "tasks" / "main.yml"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(f"{before}# {time.time()}\n", encoding="utf-8")
        return timed(*PYTEST, "--pg-checkpoints", "--pg-keep=always", "tests/configure/test_workers.py")(log)
    finally:
        file.write_text(before, encoding="utf-8")


def evidence(log: Path) -> float:
    """Return the seconds to collect all evidence after a failure: of the machines, the cluster and etcd."""
    test = LOGS / "test_in_vain.py"  # among the logs: a killed bench leaves no failing test in the suites
    test.write_text("def test_in_vain(pg_kube, etcd):\n    raise AssertionError\n", encoding="utf-8")
    with log.open("wb") as output:
        command = [*PYTEST, "--pg-reuse", str(test)]
        subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, env=AS_USERS_HAVE_IT, check=False)
    told = re.search(r"\(collected in ([0-9.]+) s\)", log.read_text(encoding="utf-8", errors="replace"))
    if told is None:
        raise SystemExit(f"nothing was collected (log: {log})")
    return float(told[1])


NINE = ("--set", "kube-worker.count=9")

PHASES = (
    Phase("depot-cold", "depot, nothing cached", 25 * 60, cold_depot, usual=False),
    Phase("collection", "pytest --collect-only", 1, timed_again(*PYTEST, "--collect-only", "-q")),
    Phase("unit", "pytest -n auto testing", 10, timed(*PYTEST, "-n", "auto", "testing")),
    Phase("depot", "depot, warm", 1, timed(*COMMAND, "depot", "fill")),
    Phase("vagrant", "machines", None, timed(*COMMAND, "create")),
    Phase("converge", "first converge", None, timed(*COMMAND, "converge")),
    Phase("again", "second converge", None, timed(*COMMAND, "idempotence")),
    Phase("memory", "memory of all machines", 2.5, memory, unit="GiB"),
    Phase("smoke", "pytest --pg-reuse -m smoke", 5, timed(*PYTEST, "--pg-reuse", "-m", "smoke", *SUITES)),
    Phase("suites", "pytest --pg-reuse tests", 35, timed(*PYTEST, "--pg-reuse", *SUITES)),
    Phase("evidence", "evidence of a failure", 5, evidence),
    Phase("destroy", "destroy", 1.5, timed(*COMMAND, "destroy")),
    Phase("nine", "machines and converge, 9 workers", None, timed(*COMMAND, "up", *NINE)),
    Phase("destroy-nine", "destroy 11 machines", 3, timed(*COMMAND, "destroy")),
    Phase("checkpoints", "longest save of a checkpoint", 10, checkpoints),
    Phase("restore", "checkpoint to first smoke test", 5, restore),
    Phase("changed", "a worker's task to its verdict", 15, changed_task),
    Phase("destroyed", "destroy, again", 1.5, timed(*COMMAND, "destroy")),
    Phase("integration", "all of integration", 80, timed(*PYTEST, "--pg-keep", "never", *SUITES)),
)

SUMS = (
    Sum("machines and first converge", ("vagrant", "converge"), (), None, "s"),
    Sum("second converge : first", ("again",), ("converge",), 0.2),
    Sum("9 workers : 2", ("nine",), ("vagrant", "converge"), 1.6),
)
"""Rows that follow from others; a row is printed as soon as all that it needs has been measured."""


def line(what: str, value: float, target: float | None, unit: str) -> str:
    """Format one row of the table."""
    wanted = "" if target is None else f"≤ {target:g} {unit}"
    verdict = "" if target is None else ("ok" if value <= target else "over")
    return f"{what:34}{value:9.{1 if unit else 2}f} {unit:4} {wanted:>10}  {verdict}".rstrip()


def main(arguments: list[str]) -> int:
    """Measure the chosen phases in order; returns 0 even if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [phase.name for phase in PHASES]
    parser.add_argument("phases", nargs="*", metavar="PHASE", help=f"some of: {' '.join(names)}")
    chosen = parser.parse_args(arguments).phases
    if unknown := set(chosen) - set(names):
        parser.error(f"no phase {', '.join(sorted(unknown))}; there are: {' '.join(names)}")
    up = subprocess.run([*COMMAND, "status"], cwd=ROOT, capture_output=True, check=False).returncode == 0
    if up and not chosen:
        raise SystemExit("machines of this checkout are up, and all phases start from none: `make destroy` first")
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; logs: {LOGS.relative_to(ROOT)}/", flush=True)
    values: dict[str, float] = {}
    for phase in PHASES:
        if phase.name not in chosen and (chosen or not phase.usual):
            continue
        values[phase.name] = phase.measure(LOGS / f"{phase.name}.log")
        print(line(phase.what, values[phase.name], phase.target, phase.unit), flush=True)
        for row in SUMS:
            if phase.name in {*row.of, *row.over} and (value := row.value(values)) is not None:
                print(line(row.what, value, row.target, row.unit), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
