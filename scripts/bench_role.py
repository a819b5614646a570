"""Measure the whole test of one role against Molecule's and against Ansible alone: ``make bench-role``."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from molecule_programs import molecule_programs

from proving_ground.ansible.search_paths import CONNECTION_PLUGINS
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings, named
from proving_ground.providers.docker_engine import DOCKER

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "role"
SCENARIO = ROOT / "scripts" / "molecule"
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in {"CI", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
}
"""As users have it: with Python's bytecode cache, and nothing that was asked of another run."""

PYTEST = [sys.executable, "-m", "pytest", "-q"]
COMMAND = [sys.executable, "-m", "proving_ground.cli"]


@dataclass
class Bench:
    """One sitting.

    Attributes:
        place: a directory for the projects.
        molecule: the directory of Molecule's programs.
        log: receives the output of all programs.
        image: the image that all machines are made of.
        seconds: of each measurement, by its name.
    """

    place: Path
    molecule: Path
    log: Path
    image: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self, command: list[str], project: Path, **variables: str) -> float:
        """Run a command that has to succeed; return its seconds."""
        start = time.monotonic()
        with self.log.open("ab") as output:
            done = subprocess.run(
                command, cwd=project, env=ENVIRONMENT | variables, stdout=output, stderr=output, check=False
            )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with status {done.returncode} (log: {self.log})")
        return time.monotonic() - start

    def project(self, name: str, table: str = "") -> Path:
        """Return a new copy of the example role; ``table`` is added to its settings."""
        copy = self.place / name
        shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns(".*", "artifacts", "__pycache__"))
        with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(table)
        return copy


def whole(bench: Bench, project: Path) -> float:
    """Everything with pytest: create, converge, idempotence, the test, destroy."""
    return bench.run([*PYTEST, "--pg-keep=never"], project)


def with_molecule(bench: Bench, project: Path) -> float:
    """The same with Molecule's `test`."""
    path = f"{bench.molecule}{os.pathsep}{os.environ['PATH']}"
    return bench.run([str(bench.molecule / "molecule"), "test"], project, PATH=path, BENCH_IMAGE=bench.image)


def ansible_alone(bench: Bench, project: Path) -> float:
    """The two runs of `ansible-playbook` alone, on a machine that is there."""
    bench.run([*COMMAND, "up"], project)  # writes inventory and playbook, which `destroy` removes again
    kept = bench.place / "alone"
    kept.mkdir(exist_ok=True)
    for name in ("inventory.yml", "converge.yml"):
        shutil.copy2(project / ".proving-ground" / name, kept / name)
    bench.run([*COMMAND, "destroy"], project)
    bench.run([*COMMAND, "create"], project)
    try:
        return sum(play(bench, kept, project) for _ in range(2))
    finally:
        bench.run([*COMMAND, "destroy"], project)


def play(bench: Bench, kept: Path, project: Path) -> float:
    """Run the playbook with Ansible alone; return its seconds, and refuse a run that reached no machine."""
    program = str(Path(sys.executable).parent / "ansible-playbook")
    before = bench.log.stat().st_size
    seconds = bench.run(
        [program, "-i", str(kept / "inventory.yml"), str(kept / "converge.yml")],
        project,
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTION_PLUGINS),
        ANSIBLE_ROLES_PATH=str(project / ".proving-ground" / "roles"),
    )
    with bench.log.open("rb") as log:
        log.seek(before)
        if b"ok=" not in log.read():
            raise SystemExit(f"ansible-playbook reached no machine (log: {bench.log})")
    return seconds


def changed_task(bench: Bench, project: Path) -> float:
    """A changed task to its verdict, with checkpoints."""
    tasks = project / "tasks" / "main.yml"
    tasks.write_text(f"{tasks.read_text(encoding='utf-8')}# {time.time()}\n", encoding="utf-8")
    return bench.run([*PYTEST, "--pg-checkpoints", "--pg-keep=never"], project)


def collection(bench: Bench, project: Path) -> float:
    """Collection in the role's project."""
    return bench.run([*PYTEST, "--collect-only"], project)


def plain_collection(bench: Bench, project: Path) -> float:
    """Collection without the plugin, and with pytest-testinfra and its like switched off."""
    return bench.run([*PYTEST, "--collect-only", "-p", "no:proving-ground"], project)


MEASURES: tuple[tuple[str, Callable[[Bench, Path], float], str], ...] = (
    ("molecule", with_molecule, ""),
    ("whole", whole, ""),
    ("three", whole, "\n[tool.proving-ground.machines.machine]\ncount = 3\n"),
    ("ansible", ansible_alone, ""),
    ("changed", changed_task, ""),
    ("collection", collection, ""),
    ("plain", plain_collection, ""),
)
"""Name, measurement, and further settings of its project; each round runs them in this order."""


def image_of_machines(bench: Bench, project: Path) -> str:
    """Return the image that the project's machines are made of: the stock image with systemd and Python on top."""
    bench.run([*COMMAND, "create"], project)
    try:
        container = named(Settings(project, "bench").checkout_id, "machine-01")
        command = ["docker", "inspect", "--format", "{{.Config.Image}}", container]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    finally:
        bench.run([*COMMAND, "destroy"], project)


def rows(median: dict[str, float]) -> list[tuple[str, float, float]]:
    """Return the lines of the table: what, value, and its largest acceptable value."""
    return [
        ("whole test : Molecule's", median["whole"] / median["molecule"], 0.5),
        ("seconds over two runs of ansible-playbook", median["whole"] - median["ansible"], 2.0),
        ("changed task with checkpoint : Molecule's", median["changed"] / median["molecule"], 0.3),
        ("three machines : one", median["three"] / median["whole"], 1.3),
        ("seconds of collection over plain pytest", median["collection"] - median["plain"], 0.5),
    ]


def main(arguments: list[str]) -> int:
    """Measure in rounds, print medians and ratios; returns 0 even if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    rounds = parser.parse_args(arguments).rounds
    DOCKER.ensure_running(Progress())
    logs = ROOT / "artifacts" / "bench"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / "role.log"
    log.write_bytes(b"")
    with tempfile.TemporaryDirectory(prefix="proving-ground-bench-") as place:
        bench = Bench(Path(place), molecule_programs("role", "molecule-plugins", "docker", "ansible"), log)
        projects = {name: bench.project(name, table) for name, _, table in MEASURES}
        shutil.copytree(SCENARIO, projects["molecule"] / "molecule")
        bench.image = image_of_machines(bench, projects["whole"])
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; log: {log.relative_to(ROOT)}", flush=True)
        try:
            for number in range(rounds + 1):  # the first round fills caches, and does not count
                for name, measure, _ in MEASURES:
                    seconds = measure(bench, projects[name])
                    if number:
                        bench.seconds.setdefault(name, []).append(seconds)
        finally:
            bench.run([*COMMAND, "checkpoints", "--prune", "all"], projects["changed"])
    median = {name: statistics.median(found) for name, found in bench.seconds.items()}
    for name, measure, _ in MEASURES:
        print(f"{(measure.__doc__ or '').splitlines()[0]:70}{name:11}{median[name]:8.1f} s")
    for what, value, target in rows(median):
        print(f"{what:50}{value:8.2f}   ≤ {target:g}  {'ok' if value <= target else 'over'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
