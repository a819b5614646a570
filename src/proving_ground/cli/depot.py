"""The command ``proving-ground depot``: build, list, check and prune the files for machines."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from proving_ground.core.errors import DepotError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.depot import care
from proving_ground.depot.depot import Depot


def run(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    """Run one of the depot's commands; return the exit code."""
    signal.signal(signal.SIGTERM, interrupt)
    try:
        depot = Depot(settings.depot, options.cache, settings.project.release)
        return int(options.run(depot, options, progress) or 0)
    except KeyboardInterrupt:
        print("interrupted; what is built stays, the next fill goes on from there", file=sys.stderr)
        return 130


def interrupt(*_: object) -> None:
    """Stop the builds, as Ctrl-C does; SIGTERM also works for a script's background process, which ignores SIGINT."""
    raise KeyboardInterrupt


def fill(depot: Depot, options: Any, progress: Progress) -> None:
    """Build the missing components; print the path of the view."""
    with progress.step("depot"):
        view = depot.ensure(progress.say, only=options.only, offline=options.offline)
    print(view.path)


def path(depot: Depot, options: Any, _: Progress) -> None:
    """Print the path of the view of the components in the cache, complete or not; build nothing."""
    print(depot.view(depot.plan(options.only)).path)


def check(depot: Depot, _: Any, progress: Progress) -> int:
    """Compare every file of the cache with its checksum."""
    findings = care.check(depot, progress)
    for finding in findings:
        print(f"error: {finding}", file=sys.stderr)
    print(f"{len(depot.present())} entries, {len(findings)} corrupt")
    return DepotError.exit_code if findings else 0


def repair(depot: Depot, _: Any, progress: Progress) -> None:
    """Remove corrupt entries."""
    removed = care.repair(depot, progress.say)
    print(
        f"removed: {', '.join(removed)}; `proving-ground depot fill` builds it anew"
        if removed
        else "nothing is corrupt"
    )


def prune(depot: Depot, options: Any, progress: Progress) -> None:
    """Remove entries and views that no checkout has used for some days."""
    print(f"{len(care.prune(depot, options.days, progress.say))} removed")


def show(depot: Depot, options: Any, _: Progress) -> None:
    """Print a line for each component: version, key, and size or `missing`."""
    plan = depot.plan(options.only)
    for name, component in plan.recipe.items():
        entry = plan.entries.get(name)
        size = f"{sum(file['size'] for file in entry.files.values()) / 1e6:8.1f} MB" if entry else "missing"
        print(f"{name:32} {component.version or '':10} {depot.keys[name]} {size:>11}")


def add_parser(words: Any) -> None:
    """Add the command to the program's commands."""
    text = "Build, list, check and prune the files for machines"
    top = words.add_parser("depot", help=text, description=text)
    top.add_argument("--cache", type=Path, help="the cache directory, instead of this user's")
    top.add_argument("--profile", help="the profile of the project, which may choose a release (or PG_PROFILE)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, each in (("fill", fill), ("path", path), ("list", show)):
        command = commands.add_parser(name, help=(each.__doc__ or "").splitlines()[0])
        command.add_argument("--only", nargs="+", metavar="NAME", help="components, or directories of the view")
        command.set_defaults(run=each)
        if name == "fill":
            command.add_argument("--offline", action="store_true", help="build nothing, fail if something is missing")
    for name, simple in (("check", check), ("repair", repair), ("prune", prune)):
        command = commands.add_parser(name, help=(simple.__doc__ or "").splitlines()[0])
        command.set_defaults(run=simple)
        if name == "prune":
            command.add_argument("--days", type=float, default=30, help="not used for so many days (default 30)")
