"""The command ``proving-ground migrate``: write settings for a Molecule project, say what is not carried over."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proving_ground.cli.migrate.scenario import Scenario
    from proving_ground.cli.migrate.translation import Loss


def run(options: argparse.Namespace, root: Path) -> int:
    """Write the settings, or with ``--dry-run`` print them; return the exit code.

    Raises:
        UsageError: there is no scenario, or one of its files or pyproject.toml cannot be read.
    """
    from proving_ground.cli.migrate.scenario import scenarios_of  # not at the top: no other command needs it
    from proving_ground.cli.migrate.translate import combined, translate
    from proving_ground.cli.migrate.write import FILE, extended

    translations = [translate(scenario) for scenario in scenarios_of(root, os.environ)]
    path = root / FILE
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    new, kept = extended(old, combined(translations))
    files = {name: text for each in translations for name, text in each.files.items()}
    if options.dry_run:
        for name, text in {FILE: new, **files}.items():
            sys.stdout.write(f"--- {name}\n{text}\n")
    else:
        path.write_text(new, encoding="utf-8")
        sys.stdout.write(f"{'extended' if old else 'wrote'} {FILE}\n")
        for name, text in files.items():
            (root / name).write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    for key in kept:
        sys.stdout.write(f"{FILE}: {key} was there already, and stays as it is\n")
    tell([loss for each in translations for loss in each.losses])
    if options.dry_run:
        sys.stdout.write("now run: proving-ground migrate\n")
    else:
        scenarios = [each.scenario for each in translations]
        for number, scenario in enumerate(scenarios):
            profile = f" --pg-profile {scenario.name}" if number else ""
            start = f"for scenario {scenario.name}" if number else "now run"
            sys.stdout.write(f"{start}: pytest{profile}{without_others(scenario, scenarios)}\n")
    return 0


def without_others(scenario: Scenario, scenarios: list[Scenario]) -> str:
    """Return the options of pytest that leave out the tests of the other scenarios; empty if they have none."""
    others = [each for each in scenarios if each != scenario and has_tests(each.root / each.directory)]
    return "".join(f" --ignore={each.directory}" for each in others)


def has_tests(directory: Path) -> bool:
    """Whether pytest finds files of tests there."""
    return any(directory.rglob("test_*.py")) or any(directory.rglob("*_test.py"))


def tell(losses: list[Loss]) -> None:
    """Print what is not carried over, a line each."""
    if losses:
        sys.stdout.write("not carried over as it is:\n")
    for loss in losses:
        sys.stdout.write(f"  {loss}\n")


def add_parser(words: Any) -> None:
    """Add the command to the program's."""
    text = "Read the scenarios of a Molecule project, and write the settings that do the same; both run side by side"
    parser = words.add_parser("migrate", help=text, description=text)
    parser.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")
