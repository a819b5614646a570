"""Measure the cluster's whole loop against Molecule's, with the same machines and playbook: ``make bench-cluster``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from molecule_programs import molecule_programs

from proving_ground.core.timeline import Timeline
from proving_ground.report.phases import phases

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "scripts" / "molecule" / "cluster" / "molecule.yml"
LOGS = ROOT / "artifacts" / "bench"
INVENTORY = LOGS / "cluster-inventory.yml"
COMMAND = [sys.executable, "-m", "proving_ground.cli"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTHONDONTWRITEBYTECODE"}}
STEP = re.compile(r"cluster ➜ (?P<step>syntax|create|converge|idempotence|destroy): Executing")
"""The line by which Molecule announces a step of the scenario; paths of its playbooks look similar."""

OURS = {"vagrant up": "create", "second converge": "idempotence"}
"""Phases of a run → the step of Molecule's that does the same, where the names differ."""

STEPS = ("create", "converge", "idempotence", "destroy")
Seconds = Mapping[str, float]


def run(command: list[str], log: Path, seen: Callable[[str], object] = str, **variables: str) -> float:
    """Run a command that has to succeed; return its seconds. ``seen`` gets each line of its output as it comes."""
    start = time.monotonic()
    with (
        log.open("a", encoding="utf-8") as output,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=ENVIRONMENT | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None, "it was asked for"
        for line in process.stdout:
            seen(line)
            output.write(line)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode} (log: {log})")
    return time.monotonic() - start


def ours(log: Path) -> Seconds:
    """Return the seconds of pytest's lifecycle by step, and of the whole."""
    began = time.time()
    whole = run([sys.executable, "-m", "pytest", "--pg-keep=never", "tests/lifecycle"], log)
    notes = Timeline(ROOT / "artifacts" / "latest" / "timeline.jsonl").read()
    found = {OURS.get(phase.name, phase.name): phase.seconds for phase in phases(notes, began + whole)}
    return {name: found[name] for name in STEPS} | {"whole": whole}


def molecules(log: Path, programs: Path, strategy: str) -> Seconds:
    """Return the seconds of Molecule's `test` by step, and of the whole."""
    begun: dict[str, float] = {}

    def seen(line: str) -> None:
        if found := STEP.search(re.sub(r"\x1b\[[0-9;]*m", "", line)):
            begun.setdefault(found["step"], time.monotonic())

    whole = run(
        [str(programs / "molecule"), "test", "--scenario-name", "cluster"],
        log,
        seen,
        MOLECULE_GLOB=str(SCENARIO),
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        BENCH_ROOT=str(ROOT),
        BENCH_COMMAND=" ".join(COMMAND),
        BENCH_INVENTORY=str(INVENTORY),
        BENCH_STRATEGY=strategy,
    )
    ends = [begun[name] for name in STEPS[1:]] + [time.monotonic()]
    return {name: end - begun[name] for name, end in zip(STEPS, ends, strict=True)} | {"whole": whole}


def prepare(log: Path) -> None:
    """Keep an inventory, which a converge writes: Molecule wants it before the machines are there."""
    if subprocess.run([*COMMAND, "status"], cwd=ROOT, capture_output=True, check=False).returncode == 0:
        raise SystemExit("machines of this checkout are up, and this makes its own: `make destroy` first")
    run([*COMMAND, "up"], log)
    shutil.copy2(ROOT / ".proving-ground" / "inventory.yml", INVENTORY)
    run([*COMMAND, "destroy"], log)


def medians(rounds: list[Seconds]) -> Seconds:
    """Return the median of each step."""
    return {name: statistics.median(each[name] for each in rounds) for name in (*STEPS, "whole")}


def targets(here: Seconds, plain: Seconds) -> list[tuple[str, float, float]]:
    """Return the lines of the table: what, value, and its largest acceptable value."""
    made = {name: each["create"] + each["converge"] for name, each in (("here", here), ("plain", plain))}
    return [
        ("whole loop : Molecule's", here["whole"] / plain["whole"], 0.48),
        ("create and converge : Molecule's", made["here"] / made["plain"], 0.5),
        ("second converge : first", here["idempotence"] / here["converge"], 0.2),
    ]


def main(arguments: list[str]) -> int:
    """Measure in rounds, one after the other; print medians and ratios; returns 0 even if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    rounds = parser.parse_args(arguments).rounds
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "cluster.log"
    log.write_bytes(b"")
    programs = molecule_programs("cluster", "cryptography", f"mitogen=={version('mitogen')}")
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; log: {log.relative_to(ROOT)}", flush=True)
    prepare(log)
    measures: dict[str, Callable[[], Seconds]] = {
        "here": lambda: ours(log),
        "Molecule": lambda: molecules(log, programs, "linear"),
        "Molecule with mitogen": lambda: molecules(log, programs, "mitogen_linear"),
    }
    found: dict[str, list[Seconds]] = {name: [] for name in measures}
    for number in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
            seconds = "  ".join(f"{step} {value:.1f} s" for step, value in found[name][-1].items())
            print(f"{number + 1}. {name:22} {seconds}", flush=True)
    median = {name: medians(each) for name, each in found.items()}
    print(f"\n{'medians, in seconds':24}" + "".join(f"{step:>13}" for step in (*STEPS, "whole")))
    for name, each in median.items():
        print(f"{name:24}" + "".join(f"{each[step]:13.1f}" for step in (*STEPS, "whole")))
    for what, value, target in targets(median["here"], median["Molecule"]):
        print(f"{what:50}{value:8.2f}   ≤ {target:g}  {'ok' if value <= target else 'over'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
