"""Print the commands that reach the machines, and the commands that run failed tests again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

import pytest

from proving_ground.core import overrides
from proving_ground.core.problems import shown
from proving_ground.core.settings import Settings, usual_provider
from proving_ground.core.topology import Topology
from proving_ground.machines.access import login
from proving_ground.machines.ledger import ledger_of
from proving_ground.plugin.fixtures import has_machines
from proving_ground.plugin.options import flag
from proving_ground.plugin.run import run_of
from proving_ground.plugin.steps import NODE

FAULTS = "faults"
"""What the node identifiers of faults' tests begin with: ``faults::test_is_noticed[nginx-stopped]``."""

FEW = 3
"""Up to so many failed tests get a command line of their own."""


def access_commands(settings: Settings, topology: Topology, concerned: Sequence[str] = ()) -> Iterator[str]:
    """Yield the command lines that reach the machines, for pasting in the project's directory.

    Args:
        settings: the run's settings.
        topology: the machines.
        concerned: names of the machines to list; empty for all.
    """
    state = settings.state_directory.relative_to(settings.root)
    for node in topology.nodes:
        if not concerned or node.name in concerned:
            words = shlex.join(_login(settings, node.name))
            yield words if topology.existing else f"{words:<42} # {node.address}"
    record = ledger_of(settings).read()
    if record is not None and record.view:
        yield f"export PATH={record.view}/bin:$PATH"
    for name, value in settings.project.environment:
        path = value.format(state=state, view=record.view if record is not None else "")
        if (settings.root / path).exists():
            yield f"export {name}=$PWD/{path}"


def _login(settings: Settings, machine: str) -> list[str]:
    """The command that opens a shell there, with paths as seen from the project."""
    return [word.removeprefix(f"{settings.root}/") for word in login(settings, machine)]


def rerun_commands(settings: Settings, failed: Sequence[str], *, reuse: bool = True) -> Iterator[str]:
    """Yield the command lines that run failed tests again.

    Args:
        settings: of the run in which they failed; the command line repeats those that differ from the defaults.
        failed: the tests' node ids; empty for all tests.
        reuse: whether to use the machines that are up.
    """
    words = ["pytest", *(["--pg-reuse"] if reuse and not settings.is_existing else []), *machine_options(settings)]
    steps = [each.removeprefix(f"{NODE}::") for each in failed if each.startswith(f"{NODE}::")]
    failed = [each for each in failed if not each.startswith(f"{NODE}::")]
    faults = [name for each in failed if (name := fault_of(each))]
    failed = [each for each in failed if not fault_of(each)]
    if faults:
        yield shlex.join([*words, "-m", "fault", "-k", " or ".join(faults)])
        if not failed:
            return
    if steps:  # they are in no file, and reused machines are not converged
        again = " or ".join(dict.fromkeys(re.split(r"[\[ ]", each)[0] for each in steps))
        yield shlex.join([*(word for word in words if word != "--pg-reuse"), "-k", again])
        if not failed:
            return
    if not failed:
        yield shlex.join(words)
    elif len(failed) <= FEW:
        yield from (shlex.join([*words, each]) for each in failed)
    else:
        yield shlex.join([*words, "--last-failed"])


def fault_of(nodeid: str) -> str:
    """Return the name of the fault that a test puts in; empty for any other test."""
    begin, _, rest = nodeid.partition("::")
    return rest.partition("[")[2].removesuffix("]") if begin == FAULTS else ""


def machine_options(settings: Settings) -> list[str]:
    """Return the options that name the same machines again: those that differ from the defaults."""
    plain = Settings(settings.root, settings.run_id, provider=usual_provider(settings.project))
    words = []
    named = ("topology", "profile", "network_prefix")
    for option in named if settings.is_existing else (*named[:2], "provider", named[2]):
        if (value := getattr(settings, option)) != getattr(plain, option):
            words += [flag(option), str(value)]
    return [*words, *overrides.options(settings.overrides), *inventory_options(settings)]


def inventory_options(settings: Settings) -> list[str]:
    """Return the options that name the same hosts of the same inventory; none where the run makes its machines."""
    if not settings.is_existing:
        return []
    inventory = settings.inventory_file
    own = inventory == settings.root / settings.project.inventory and settings.project.inventory
    named = [] if own else ["--pg-inventory", shown(inventory)]
    converge = ["--pg-converge"] if settings.converge and not settings.project.converge else []
    return [*named, *(["--pg-limit", settings.limit] if settings.limit else []), *converge]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Remember the running test: ``pytest_enter_pdb`` does not get it."""
    run_of(item.config).item = item


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Print how to reach the machines before the debugger's prompt, if the test uses machines; the same hints once."""
    run = run_of(config)
    item, reporter = run.item, config.pluginmanager.getplugin("terminalreporter")
    if item is None or reporter is None or not has_machines(item):
        return
    lines = list(
        access_commands(run.settings, run.topology, [node.name for node in run.topology.named_in(item.nodeid)])
    )
    if lines != run.hints_shown:
        run.hints_shown = lines
        reporter.write_sep(">", "the machines are up: how to reach them")
        for line in lines:
            reporter.write_line(f"  {line}")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how to reach the machines, after a failure or with ``--pg-keep always``."""
    run = run_of(config)
    settings = run.settings
    reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    worth_it = reports or settings.keep == "always" or run.failed_converge is not None
    if not worth_it or run.record is None:
        return
    topology = run.topology
    failed = list(dict.fromkeys(report.nodeid for report in reports))
    concerned = [node.name for node in topology.named_in("\n".join(failed))]
    existing = settings.is_existing
    terminalreporter.section(
        "how to reach the hosts" if existing else "the machines are up: how to reach them", bold=True
    )
    for line in (
        *access_commands(settings, topology, concerned),
        *rerun_commands(settings, failed),
        *([] if existing else ["proving-ground destroy"]),
    ):
        terminalreporter.write_line(f"  {line}")
