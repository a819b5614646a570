"""Run the playbook with ansible-runner, or have Ansible check its syntax."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from proving_ground.ansible.events import (
    STATUSES,
    Outcome,
    failure,
    outcome_of,
    parse_error,
    role_name,
    without_rescued,
)
from proving_ground.ansible.missing import missing_hint
from proving_ground.ansible.phases import part
from proving_ground.ansible.programs import program, variables
from proving_ground.ansible.search_paths import search_paths
from proving_ground.core.errors import ConvergeError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.interruption import cancelling
from proving_ground.process.reaper import MARK, end_marked

DEADLINE = 3600
"""Seconds for one run of the playbook; emulated machines need most of it."""

NOT_TESTED = "molecule-notest,notest"
"""Tags of tasks that a test never runs, as Molecule has them."""

SYNTAX_SECONDS = 120.0
"""The time-out for Ansible to parse the playbook; this contacts no machine."""


@dataclass(frozen=True)
class Converge:
    """One run of a playbook.

    Attributes:
        outcomes: of its tasks, in order.
        log: the file of Ansible's output.
        error: the first cause if it failed; only :func:`attempt_playbook` returns it, all others raise it.
    """

    outcomes: tuple[Outcome, ...]
    log: Path
    error: ConvergeError | None = None

    @property
    def changed(self) -> tuple[Outcome, ...]:
        """The outcomes that changed something."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "changed")

    def changes(self) -> str:
        """Format all changes, one after the other; empty if nothing changed."""
        return "\n".join(outcome.change() for outcome in self.changed)


@contextmanager
def cut(root: Path, playbook: str, plays: tuple[int, int] | None) -> Iterator[str]:
    """Yield a playbook with only the plays from the first number up to but not including the second; None means all.

    The file is beside the whole playbook, so that Ansible finds the same variables and files, and its lines have the
    same numbers.
    """
    if plays is None:
        yield playbook
        return
    file = (root / playbook).with_name(f".{Path(playbook).name}")
    file.write_text(part(root / playbook, *plays), encoding="utf-8")
    try:
        yield str(file.relative_to(root))
    finally:
        file.unlink(missing_ok=True)


def run_playbook(
    settings: Settings,
    inventory: Path,
    progress: Progress,
    *arguments: str,
    plays: tuple[int, int] | None = None,
    timeouts: Timeouts = USUAL,
) -> Converge:
    """Run the playbook as :func:`attempt_playbook` does.

    Raises:
        ConvergeError: the playbook is wrong, a host is unreachable, or a task failed; names host, role and task.
    """
    done = attempt_playbook(settings, inventory, progress, *arguments, plays=plays, timeouts=timeouts)
    if done.error is not None:
        raise done.error
    return done


def attempt_playbook(
    settings: Settings,
    inventory: Path,
    progress: Progress,
    *arguments: str,
    plays: tuple[int, int] | None = None,
    timeouts: Timeouts = USUAL,
) -> Converge:
    """Run the playbook, or some of its plays, against the machines of ``inventory``; skip tasks tagged ``notest``.

    Args:
        settings: name the playbook; the log is ``ansible.log`` in their artifacts.
        inventory: its file.
        progress: receives every task when it starts, and its outcome.
        arguments: further arguments for ``ansible-playbook``.
        plays: numbers of the first play and of the one after the last, or None for all.
        timeouts: of the machines.

    Returns:
        the outcomes; if it failed, those until then and the error.
    """
    import ansible_runner  # not at the top: collecting tests does not need it

    root, playbook, artifacts = settings.root, settings.playbook, settings.artifacts
    artifacts.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix="ansible-runner-", dir=artifacts))  # its own: tests may run others
    log = artifacts / "ansible.log"
    outcomes: list[Outcome] = []
    rescued: dict[str, int] = {}
    try:
        # Without `cancelling`, ansible-runner sets its own handlers for SIGINT and SIGTERM and never restores ours.
        with cut(root, playbook, plays) as chosen, cancelling() as is_cancelled:
            result = ansible_runner.run(
                private_data_dir=str(private),
                project_dir=str(root),
                playbook=str(root / chosen),
                inventory=str(inventory),
                cmdline=" ".join((f"--skip-tags={NOT_TESTED}", *arguments, *limits(settings))),
                envvars=dict(os.environ) | environment(settings, timeouts) | {MARK: str(root)},
                event_handler=partial(_note, outcomes, rescued, progress, chosen, playbook),
                cancel_callback=is_cancelled,
                quiet=True,
                suppress_env_files=True,
                timeout=DEADLINE,
                settings={"runner_mode": "subprocess"},
            )
        text = _said(Path(result.config.artifact_dir))
        with log.open("a", encoding="utf-8") as file:
            file.write(text)
    finally:
        end_marked(str(root))  # mitogen's workers lead sessions of their own, and outlive an interrupted run
        shutil.rmtree(private, ignore_errors=True)
    if result.status == "canceled":
        raise KeyboardInterrupt
    outcomes = without_rescued(outcomes, rescued)
    if result.status == "successful":
        return Converge(tuple(outcomes), log)
    return Converge(tuple(outcomes), log, failure(outcomes, text, result.status, playbook=playbook, log=log))


def _note(
    outcomes: list[Outcome],
    rescued: dict[str, int],
    progress: Progress,
    chosen: str,
    playbook: str,
    event: dict[str, Any],
) -> bool:
    """Handle one event: show a task that starts, keep every outcome; ``chosen`` is the running part of the playbook."""
    data = event.get("event_data", {})
    if event["event"] == "playbook_on_task_start":
        progress(
            " : ".join(
                part
                for part in (role_name(data.get("resolved_role") or data.get("role") or ""), data.get("task"))
                if part
            )
        )
    elif event["event"] in STATUSES:
        outcome = outcome_of(event["event"], data, event.get("stdout", ""))
        # Replace the partial playbook's path by the whole playbook's; line numbers are the same.
        outcomes.append(replace(outcome, path=outcome.path.replace(f"{chosen}:", f"{playbook}:")))
        progress.note("task", **outcomes[-1].facts())
    elif event["event"] == "playbook_on_stats":
        rescued |= data.get("rescued") or {}
        if rescued:  # only now: while a task fails, nobody knows whether its block has a rescue
            progress.note("rescued", hosts=dict(rescued))
    return False  # ansible-runner writes no file for the event: the outcomes are enough


def _said(artifacts: Path) -> str:
    """Return Ansible's standard output, followed by its standard error."""
    files = (artifacts / "stdout", artifacts / "stderr")
    return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists())


def limits(settings: Settings) -> list[str]:
    """Return the arguments, as words of a command line, that keep Ansible to the hosts that the run is limited to."""
    return [f"--limit={shlex.quote(settings.limit)}"] if settings.is_existing and settings.limit else []


def environment(settings: Settings, timeouts: Timeouts) -> dict[str, str]:
    """Return the project's own variables, and those with which Ansible finds its configuration and programs."""
    return {
        **settings.playbook_environment,
        **search_paths(settings, settings.root / settings.project.ansible_config),
        **variables(settings),
        # Time-out for a connection, including the start of Python on the machine.
        "ANSIBLE_TIMEOUT": str(round(timeouts.seconds(20))),
    }


def check_syntax(settings: Settings, inventory: Path, timeouts: Timeouts) -> None:
    """Let Ansible parse the playbook and every role it uses; this needs no machine.

    Raises:
        ConvergeError: the playbook is wrong; names file and line.
    """
    seconds = timeouts.seconds(SYNTAX_SECONDS)
    try:
        result = subprocess.run(
            [program("ansible-playbook"), "--syntax-check", "-i", str(inventory), settings.playbook],
            cwd=settings.root,
            env=os.environ | environment(settings, timeouts),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as late:
        raise ConvergeError(f"Ansible did not parse the playbook within {seconds:.0f} s", where="syntax") from late
    log = settings.artifacts / "syntax.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(result.stdout + result.stderr, encoding="utf-8")
    if result.returncode != 0:
        text = parse_error(result.stdout + result.stderr)
        raise ConvergeError(text, where="syntax", hint=missing_hint(text), log=log)
