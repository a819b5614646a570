"""Read the command line, find the project, run one command; print an error as one line, return its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proving_ground.cli import commands, depot, init
from proving_ground.cli.migrate import command as migrate
from proving_ground.core.errors import HarnessError, UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import STATE, Settings
from proving_ground.core.table import is_asked_for
from proving_ground.core.timeline import Timeline
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.machines.lock import locked
from proving_ground.plugin import artifacts
from proving_ground.plugin.configuration import Values, settings_from
from proving_ground.plugin.options import OPTIONS, value

if TYPE_CHECKING:
    from proving_ground.lifecycle.lifecycle import Lifecycle

EPILOG = """\
exit codes: 0 done; 11 an invalid option or setting; 12 the host lacks something; 13 the depot could not be built;
14 a machine did not come up; 15 a task failed; 16 a second converge changed something; 17 another run in progress;
18 a requirement could not be installed
"""

OF_COMMANDS = (
    "topology",
    "profile",
    "set",
    "provider",
    "checkpoints",
    "network-prefix",
    "timeout-factor",
    "inventory",
    "limit",
)
"""The plugin's options that commands have, too, without the prefix ``pg-``."""


CONVERGING = ("converge", "idempotence")
"""Commands that converge hosts of an existing inventory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name; this process's by default.

    Returns:
        the exit code: 0, or the error's.
    """
    options = parser().parse_args(arguments)
    try:
        if options.command == "init":
            return init.run(options, Path.cwd())
        if options.command == "migrate":
            return migrate.run(options, Path.cwd())
        root = find_project(Path.cwd())
        if options.command == "depot":
            return depot.run(options, settings_from({"profile": values_of(options)["profile"]}, root), Progress())
        return run(options, lifecycle_of(options, root))
    except HarnessError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; `proving-ground destroy` removes what is there\n")
        return 130


def run(options: argparse.Namespace, life: Lifecycle) -> int:
    """Run the command; take the project's lock if the command changes machines."""
    command = commands.COMMANDS[options.command]
    if not command.changes:
        return command.run(life, options) or 0
    awaited = life.progress.say if command.waits else None
    with locked(life.settings.state_directory, awaited=awaited, timeouts=life.settings.timeouts):
        try:
            return command.run(life, options) or 0
        finally:
            artifacts.collect(life.settings)


def find_project(start: Path) -> Path:
    """Return the root directory of the project that contains ``start``.

    Raises:
        UsageError: no ``pyproject.toml`` in ``start`` or above has a table ``[tool.proving-ground]``.
    """
    for directory in (start, *start.parents):
        if is_asked_for(directory):
            return directory
    hint = "change into your project, or add the table to its pyproject.toml"
    raise UsageError("no pyproject.toml with a table [tool.proving-ground] here or above", where=str(start), hint=hint)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="proving-ground",
        description="Bring machines up, converge Ansible roles on them, remove them again. `pytest` does all of it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in commands.COMMANDS.items():
        text = (command.run.__doc__ or "").splitlines()[0]
        each = words.add_parser(name, help=text, description=text)
        for option in OPTIONS:
            if option.name in OF_COMMANDS:
                kind: dict[str, Any] = {"metavar": option.word or option.name.upper()}
                if option.default is None:
                    kind = {"action": "store_true"}
                elif option.word:
                    kind["action"] = "append"
                each.add_argument(
                    f"--{option.name}", default=None, help=f"{option.help} (or {option.variable})", **kind
                )
        command.arguments(each)
    depot.add_parser(words)
    init.add_parser(words)
    migrate.add_parser(words)
    return top


def values_of(options: argparse.Namespace) -> Values:
    """Return the plugin's options: from the command line, as far as the command has them, or else the environment."""
    return {option.key: value(option, getattr(options, option.key, None)) for option in OPTIONS}


def lifecycle_of(options: argparse.Namespace, root: Path) -> Lifecycle:
    """Make the lifecycle for the options; missing options get the values of the machines that are up."""
    from proving_ground.lifecycle.lifecycle import Lifecycle  # not at the top: `depot` and --help do not need it

    values = values_of(options)
    ledger, needs_ledger = Ledger(root / STATE), commands.COMMANDS[options.command].needs_ledger
    record = ledger.read() if needs_ledger else ledger.legible()
    # A command without the ledger works whatever has become of the profile.
    profile = values["profile"] or (record.profile if record is not None and needs_ledger else None)
    settings = settings_from({**values, "keep": "always", "reuse": None, "profile": profile}, root)
    if options.command in CONVERGING:  # on an existing inventory the command is the request
        settings = replace(settings, converge=True)
    settings = as_present(settings, record, values)
    return Lifecycle(settings, Progress(timeline=Timeline.of(settings)))


def as_present(settings: Settings, record: Record | None, values: dict[str, str | bool | None]) -> Settings:
    """Return the settings; options that were not given get the values of the machines that are up."""
    if record is None or settings.is_existing:
        return settings
    topology = str(values["topology"] or record.topology)
    is_same = (topology, settings.profile) == (record.topology, record.profile)
    return replace(
        settings,
        topology=topology,
        overrides=record.overrides if is_same and values["set"] is None else settings.overrides,
        provider=str(values["provider"] or record.provider),
        network_prefix=str(values["network_prefix"]) if values["network_prefix"] else record.network_prefix,
        images=record.image_groups,
    )
