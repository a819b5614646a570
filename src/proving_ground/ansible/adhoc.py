"""Run one Ansible module or role against hosts of an inventory; return the results by host."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proving_ground.ansible.events import STATUSES, Outcome, outcome_of, parse_error
from proving_ground.ansible.runner import environment, limits
from proving_ground.core.errors import HarnessError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.process.interruption import cancelling
from proving_ground.process.reaper import MARK, end_marked

SECONDS = 60.0
"""Default time-out of one module on all hosts."""

OF_THE_RUNNER = ("artifacts", "env", "inventory", "project", "fact_cache")
"""Files and directories that ansible-runner reads or writes in its private directory."""

Results = dict[str, dict[str, Any]]
"""Host → the module's result there."""


class ModuleError(HarnessError):
    """A module failed, or did not end in time.

    Args:
        host: the first host on which it failed; empty if it ran on no host.
        results: the results of hosts until then.
    """

    def __init__(self, what: str, *, where: str, host: str = "", results: Results | None = None) -> None:
        super().__init__(what, where=where)
        self.host, self.results = host, results or {}


def run_module(
    settings: Settings,
    inventory: Path | None,
    pattern: str,
    module: str,
    args: Mapping[str, Any] | str = "",
    *,
    become: bool = False,
    check: bool = False,
    extra_vars: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    timeout: float = SECONDS,
    timeouts: Timeouts = USUAL,
) -> Results:
    """Run ``module`` on the hosts of ``pattern``, as ``ansible PATTERN -m MODULE -a ARGS`` does.

    Args:
        settings: hold the paths of the project and of its Ansible configuration.
        inventory: the inventory; None if ``arguments`` or Ansible's configuration name it.
        pattern: an Ansible host pattern: ``nodes:!store``.
        module: its name; ``include_role`` runs a role.
        args: the module's arguments, as a mapping or as on the command line.
        become: whether it runs as root.
        check: whether it runs in check mode, which changes nothing.
        extra_vars: variables with the highest precedence.
        env: environment variables on the controller, in addition to this process's own.
        arguments: further words for Ansible's command line, quoted as for a shell.
        timeout: seconds on machines of the usual speed; then the function ends Ansible.
        timeouts: of the machines.

    Returns:
        host → the module's result (``changed``, ``stdout`` …); for a role, the result of its last task.

    Raises:
        ModuleError: the module failed on a host, no host matches, or it did not end in time; names host and message.
    """
    failed: list[Outcome] = []
    results: Results = {}
    mark = f"{settings.root}#{uuid.uuid4().hex}"  # unique: other modules may run at the same time
    options = [word for word, wanted in (("--become", become), ("--check", check)) if wanted]
    options += [*arguments, *limits(settings)]  # the run's own limit counts, the last one
    asked = {
        "project_dir": str(settings.root),
        **({} if inventory is None else {"inventory": str(inventory)}),
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
    """Run ansible-runner with ``asked`` as arguments, then end all its processes; return its result and its output."""
    import ansible_runner  # not at the top: collecting tests does not need it

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
    """Add a host's result to ``results``, and to ``failed`` if the module failed there."""
    data = event.get("event_data", {})
    if event["event"] in STATUSES:
        outcome = outcome_of(event["event"], data, event.get("stdout", ""))
        results[outcome.host] = dict(data.get("res") or {})
        if outcome.status in {"failed", "unreachable"}:
            results[outcome.host].setdefault(outcome.status, True)
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
