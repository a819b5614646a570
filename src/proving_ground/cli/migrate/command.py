"""The command ``proving-ground migrate``: write settings for a Molecule project, say what is not carried over."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    profiles = [each.scenario.name for each in translations[1:]]
    sys.stdout.write("now run: proving-ground migrate\n" if options.dry_run else "now run: pytest\n")
    for name in [] if options.dry_run else profiles:
        sys.stdout.write(f"for scenario {name}: pytest --pg-profile {name}\n")
    return 0


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
