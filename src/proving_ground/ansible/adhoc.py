"""Run one Ansible module or role against hosts of an inventory; return the results by host."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from proving_ground.ansible.events import STATUSES, Outcome, outcome_of, parse_error
from proving_ground.ansible.runner import environment
from proving_ground.core.errors import HarnessError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.interruption import cancelling
from proving_ground.process.reaper import MARK, end_marked

SECONDS = 60.0
"""For one module on all hosts, unless the caller says otherwise."""

OF_THE_RUNNER = ("artifacts", "env", "inventory", "project", "fact_cache")
"""What ansible-runner looks for, or writes, in its own directory."""

Results = dict[str, dict[str, Any]]
"""Host → what the module has returned there."""


class ModuleError(HarnessError):
    """A module failed, or did not end in time.

    Args:
        host: where it failed first; empty where it has run nowhere.
        results: what came from hosts until then.
    """

    def __init__(self, what: str, *, where: str, host: str = "", results: Results | None = None) -> None:
        super().__init__(what, where=where)
        self.host, self.results = host, results or {}


def run_module(
    settings: Settings,
    inventory: Path,
    pattern: str,
    module: str,
    args: Mapping[str, Any] | str = "",
    *,
    become: bool = False,
    check: bool = False,
    extra_vars: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = SECONDS,
    timeouts: Timeouts = USUAL,
) -> Results:
    """Run ``module`` on the hosts of ``pattern``, as ``ansible PATTERN -m MODULE -a ARGS`` does.

    Args:
        settings: say where the project and its Ansible configuration lie.
        inventory: its file.
        pattern: hosts, in Ansible's words: ``nodes:!store``.
        module: its name; ``include_role`` runs a role.
        args: the module's, by name or as on the command line.
        become: whether it runs as root.
        check: whether it only says what it would change.
        extra_vars: variables above all others.
        env: environment variables on the controller, on top of this process's own.
        timeout: seconds on machines of the usual speed; then Ansible is ended.
        timeouts: of the machines.

    Returns:
        host → the module's result (``changed``, ``stdout`` …); of a role, that of its last task.

    Raises:
        ModuleError: it failed on a host, no host matches, or it did not end in time; names host and message.
    """
    failed: list[Outcome] = []
    results: Results = {}
    mark = f"{settings.root}#{uuid.uuid4().hex}"  # its own: others may run beside it
    options = [word for word, wanted in (("--become", become), ("--check", check)) if wanted]
    asked = {
        "project_dir": str(settings.root),
        "inventory": str(inventory),
        "host_pattern": pattern,
        "module": module,
        "module_args": args if isinstance(args, str) else json.dumps(dict(args)),
        "extravars": dict(extra_vars or {}),
        "cmdline": " ".join(options) or None,
        "envvars": dict(os.environ) | environment(settings, timeouts) | dict(env or {}) | {MARK: mark},
    }
    seconds = timeouts.seconds(timeout)
    result, said = _run(asked, partial(_note, results, failed), mark, seconds)
    if result.status == "canceled":
        raise KeyboardInterrupt
    if result.status == "successful" and results:
        return results
    raise _failure(f"{pattern}: {module}", result.status, failed, results, said, seconds)


def _run(asked: dict[str, Any], note: Callable[[dict[str, Any]], bool], mark: str, seconds: float) -> tuple[Any, str]:
    """Run ansible-runner with what is ``asked`` of it: its result, and what Ansible wrote; no process outlives it."""
    import ansible_runner  # not at the top: who only collects tests does not pay for it

    with tempfile.TemporaryDirectory(prefix="proving-ground-module-") as private, cancelling() as is_cancelled:
        # ansible-runner runs a module in its own directory; Ansible's configuration may name files by relative paths.
        for entry in Path(asked["project_dir"]).iterdir():
            if entry.name not in OF_THE_RUNNER:
                (Path(private) / entry.name).symlink_to(entry)
        try:
            result = ansible_runner.run(
                **asked,
                private_data_dir=private,
                event_handler=note,
                cancel_callback=is_cancelled,
                quiet=True,
                suppress_env_files=True,
                timeout=max(1, round(seconds)),
                settings={"runner_mode": "subprocess"},
            )
            files = [Path(result.config.artifact_dir) / name for name in ("stdout", "stderr")]
            return result, "".join(
                file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists()
            )
        finally:
            end_marked(mark)


def _note(results: Results, failed: list[Outcome], event: dict[str, Any]) -> bool:
    """Keep what a host has returned."""
    data = event.get("event_data", {})
    if event["event"] in STATUSES:
        outcome = outcome_of(event["event"], data, event.get("stdout", ""))
        results[outcome.host] = dict(data.get("res") or {})
        if outcome.status in {"failed", "unreachable"}:
            failed.append(outcome)
    return False


def _failure(
    where: str, status: str, failed: list[Outcome], results: Results, said: str, seconds: float
) -> ModuleError:
    module = where.rpartition(": ")[2]
    if status == "timeout":
        return ModuleError(f"did not end within {seconds:.0f} s", where=where, results=results)
    if failed:
        first = failed[0]
        others = sorted({each.host for each in failed} - {first.host})
        also = f" (also on {', '.join(others)})" if others else ""
        word = "is unreachable" if first.status == "unreachable" else "failed"
        text = f"{word}{also}: {first.message}"
        return ModuleError(text, where=f"{first.host}: {module}", host=first.host, results=results)
    return ModuleError("no host matches" if status == "successful" else parse_error(said), where=where)
