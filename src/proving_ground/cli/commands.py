"""The commands of ``proving-ground``: each gets the lifecycle of the project's machines and its own options.

Each command imports its own modules when it runs, so that ``--help`` and short commands answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proving_ground.core import overrides
from proving_ground.core.errors import IdempotenceError

if TYPE_CHECKING:
    from proving_ground.lifecycle.lifecycle import Lifecycle
    from proving_ground.machines.ledger import Record

Runs = Callable[["Lifecycle", argparse.Namespace], int | None]


def up(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Bring the machines up and converge them; print how to reach them."""
    life.ensure_converged()
    life.ready()
    print_hints(life)


def create(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Bring the machines up, and install nothing on them."""
    life.create()
    print_hints(life)


def converge(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Run the playbook on the machines, also if they are converged."""
    life.create()
    life.prepare()
    result = life.converge()
    life.progress.say(f"{len(result.changed)} of {len(result.outcomes)} outcomes changed something")


def idempotence(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Run the playbook once more; fail if it changes anything."""
    require_up(life)
    life.create()
    result = life.repeat()
    if result.changed:
        text = f"{len(result.changed)} tasks changed something again:\n{result.changes()}"
        raise IdempotenceError(text, log=result.log)


def verify(life: Lifecycle, options: argparse.Namespace) -> int:
    """Run the tests on the machines that are up; arguments after -- go to pytest."""
    require_up(life)
    command = [sys.executable, "-m", "pytest", "--pg-reuse", *same_machines(life), *options.words]
    return subprocess.run(command, cwd=life.settings.root, check=False).returncode


def login(life: Lifecycle, options: argparse.Namespace) -> None:
    """Open a shell on a machine."""
    require_up(life)
    from proving_ground.machines import access

    node = life.topology.node(options.machine) if options.machine else life.topology.nodes[0]
    command = access.login(life.settings, node.name)
    os.execvp(command[0], command)


def status(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print whether machines are up, how far they are converged, and how to reach them."""
    record = require_up(life)
    life.progress.say(f"{record.phase}, made by run {record.run_id}")
    print_hints(life)


def show(life: Lifecycle, options: argparse.Namespace) -> None:
    """List the machines of the topology: name, address, groups, and whether they are up."""
    if options.json:
        print(json.dumps([node.facts for node in life.topology.nodes]))
        return
    record = life.ledger.read()
    here = record is not None and record.is_of(life.settings)
    state = record.phase if record is not None and here else "absent"
    placement = record.placement if record is not None and here else {}
    for node in life.topology.nodes:
        groups = ", ".join(node.groups)
        print(f"{node.name:20} {node.address!s:15} {state:10} {groups:20} {placement.get(node.name, '')}".rstrip())


def plan(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print the steps that `up` would run now, without running them."""
    for number, step in enumerate(life.plan(), start=1):
        print(f"{number:3}. {step}")


def profile(life: Lifecycle, options: argparse.Namespace) -> None:
    """Print which tasks the last converge of a run waited for, and how long."""
    from proving_ground.report import profile as profiling

    found = profiling.of_run(life.settings.artifacts.parent, options.run)
    sys.stdout.write("".join(f"{line}\n" for line in profiling.lines(found, options.tasks)))


def checkpoints(life: Lifecycle, options: argparse.Namespace) -> None:
    """List the checkpoints with sizes; with --prune remove some of them first."""
    from proving_ground.checkpoints.store import listing

    life.checkpoints.tidy()
    if options.prune:
        wanted = {life.state.key(phase) for phase in life.phases} if options.prune == "stale" else set()
        life.checkpoints.forget([each for each in life.checkpoints if each.key not in wanted])
    sys.stdout.write("".join(f"{line}\n" for line in listing(life.checkpoints)))


def destroy(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Remove everything that this project has created on this host."""
    if not life.destroy():
        life.progress.say("this project has created nothing on this host")


def clean(life: Lifecycle, options: argparse.Namespace) -> None:
    """Destroy, then remove checkpoints, boxes, and services that the project started for the machines."""
    from proving_ground.providers import registry

    destroy(life, options)
    life.checkpoints.forget(list(life.checkpoints))
    for provider in registry.every(life.settings):
        for text in provider.clean():
            life.progress.say(text)


def vagrant_plugin(life: Lifecycle, options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print the path of the file that a project's Vagrantfile loads."""
    from proving_ground.machines.vagrant import PLUGIN

    print(PLUGIN)


def require_up(life: Lifecycle) -> Record:
    """Return the record of the machines that are up; raises UsageError if there are none."""
    from proving_ground.lifecycle import machines

    return machines.require_up(life.settings)


def same_machines(life: Lifecycle) -> list[str]:
    """Return the options of pytest that select the machines of this lifecycle."""
    if life.settings.is_existing:
        from proving_ground.plugin.debug_hints import inventory_options

        return inventory_options(life.settings)
    settings = life.settings
    profile = [f"--pg-profile={settings.profile}"] if settings.profile else []
    machines = [f"--pg-topology={settings.topology}", f"--pg-provider={settings.provider}", *profile]
    return [*machines, *overrides.options(settings.overrides)]


def print_hints(life: Lifecycle) -> None:
    """Print the commands that reach the machines and what is on them."""
    from proving_ground.plugin.debug_hints import access_commands, rerun_commands

    lines = [
        *access_commands(life.settings, life.topology),
        *rerun_commands(life.settings, []),
        *([] if life.settings.is_existing else ["proving-ground destroy"]),
    ]
    sys.stdout.write("".join(f"  {line}\n" for line in lines))


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: most commands have no arguments of their own."""


def of_verify(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for pytest."""
    parser.add_argument("words", nargs="*", metavar="-- PYTEST OPTIONS", help="as `proving-ground verify -- -m smoke`")


def of_login(parser: argparse.ArgumentParser) -> None:
    """Add the machine's name."""
    parser.add_argument("machine", nargs="?", help="its name; the topology's first by default")


def of_list(parser: argparse.ArgumentParser) -> None:
    """Add the option for the list's format."""
    parser.add_argument("--json", action="store_true", help="name, address, memory and cpus, for programs")


def of_profile(parser: argparse.ArgumentParser) -> None:
    """Add the run, and how many of its tasks are printed."""
    parser.add_argument("run", nargs="?", help="name of a run in artifacts/; the last one with a converge by default")
    parser.add_argument("--tasks", type=int, default=15, help="how many tasks to print, the longest first (15)")


def of_checkpoints(parser: argparse.ArgumentParser) -> None:
    """Add the option that removes checkpoints."""
    text = "first remove the checkpoints that no longer apply (stale), or all"
    parser.add_argument("--prune", choices=("stale", "all"), help=text)


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        run: runs the command; its docstring is the command's help.
        changes: whether it changes machines, and so takes the project's lock.
        arguments: adds the command's own arguments.
        waits: whether it waits for a run that is ending, instead of raising an error.
        needs_ledger: whether it needs the ledger, so that an unreadable ledger is an error.
    """

    run: Runs
    changes: bool = True
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    waits: bool = False
    needs_ledger: bool = True


COMMANDS: dict[str, Command] = {
    "up": Command(up),
    "create": Command(create),
    "converge": Command(converge),
    "idempotence": Command(idempotence),
    "verify": Command(verify, changes=False, arguments=of_verify),
    "login": Command(login, changes=False, arguments=of_login),
    "status": Command(status, changes=False),
    "list": Command(show, changes=False, arguments=of_list),
    "plan": Command(plan, changes=False),
    "profile": Command(profile, changes=False, arguments=of_profile, needs_ledger=False),
    "checkpoints": Command(checkpoints, arguments=of_checkpoints),
    "destroy": Command(destroy, waits=True, needs_ledger=False),
    "clean": Command(clean, waits=True, needs_ledger=False),
    "vagrant-plugin": Command(vagrant_plugin, changes=False, needs_ledger=False),
}
