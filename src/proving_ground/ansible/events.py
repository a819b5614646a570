"""Convert Ansible's events to outcomes by host, role and task; find the first cause of a failed run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from proving_ground.ansible.missing import missing_hint
from proving_ground.core.errors import ConvergeError
from proving_ground.core.redact import redact
from proving_ground.process.commands import last_words

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

STATUSES = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}


@dataclass(frozen=True)
class Outcome:
    """The result of one task on one host.

    Attributes:
        host: its name in the inventory.
        role: the role's name, or "" for a task of a play.
        task: the task's name.
        path: file and line of the task.
        status: ``ok``, ``changed``, ``failed``, ``ignored``, ``rescued``, ``unreachable`` or ``skipped``.
        seconds: how long it took.
        message: the module's error message; empty if the task hides its output (``no_log``).
        diff: before and after, as Ansible prints it with ``--diff``; else empty.
        play: the play's name.
        start: when it began, in seconds since 1970; 0 if Ansible does not report it.
        action: the module's name, as the task has it.
    """

    host: str
    role: str
    task: str
    path: str
    status: str
    seconds: float
    message: str = ""
    diff: str = ""
    play: str = ""
    start: float = 0.0
    action: str = ""

    def __str__(self) -> str:
        return f"{self.host}: {self.role} : {self.task}" if self.role else f"{self.host}: {self.task}"

    def change(self) -> str:
        """Format the change: host, role, task, file and line, then the diff."""
        return f"{self} [{self.path}]\n{self.diff or '(the module reports no diff)'}"

    def facts(self) -> dict[str, Any]:
        """Return the fields for the report: without the diff, which may be long; ``message`` only of failed tasks."""
        failed = self.status in {"failed", "unreachable", "ignored", "rescued"}
        return {name: value for name, value in asdict(self).items() if name != "diff" and (failed or name != "message")}


def role_name(text: str) -> str:
    """The name of a role that a play names, which may be the path of a role that lies elsewhere."""
    return text.rstrip("/").rpartition("/")[2] if text.startswith("/") else text


def outcome_of(event: str, data: dict[str, Any], printed: str = "") -> Outcome:
    """Convert an event of ansible-runner to an outcome.

    Args:
        event: its kind, one of ``STATUSES``.
        data: its ``event_data``.
        printed: its ``stdout``: Ansible's output for the event.
    """
    result = data.get("res") or {}
    status = STATUSES[event]
    if status == "ok" and result.get("changed"):
        status = "changed"
    if status == "failed" and data.get("ignore_errors"):
        status = "ignored"
    return Outcome(
        host=str(data.get("host", "")),
        # The short name is not enough for a role of a collection: playbooks name it as a whole.
        role=role_name(str(data.get("resolved_role") or data.get("role") or "")),
        task=str(data.get("task", "")),
        path=str(data.get("task_path", "")).removeprefix(f"{Path.cwd()}/"),
        status=status,
        seconds=float(data.get("duration") or 0.0),
        # Tasks hide known secrets with no_log; this removes secrets that a task's author overlooked.
        message=redact(message_of(result, printed)),
        diff=redact("\n".join(diff_lines(result.get("diff")))),
        play=str(data.get("play", "")),
        start=datetime.fromisoformat(data["start"]).timestamp() if data.get("start") else 0.0,
        action=str(data.get("task_action", "")),
    )


def message_of(result: dict[str, Any], printed: str = "") -> str:
    """Return the cause from a failed module's result; empty if the task hides its output (``no_log``)."""
    texts = {key: str(result.get(key) or "").strip() for key in ("msg", "stderr", "stdout", "censored")}
    said = next((text for text in texts.values() if text), "")
    output = texts["stderr"] or texts["stdout"]
    if output and said != output:
        # Ansible's message is "non-zero return code"; the program's last error line has the cause.
        return f"{said}: {last_words(output)}"
    return whole_message(texts["msg"], printed) or said


def whole_message(message: str, printed: str) -> str:
    """Return a message with the cause that only Ansible's error line has ("Error executing command: [Errno 2] …")."""
    stem = message.removesuffix(".")
    lines = [line.rstrip() for line in COLOUR.sub("", printed).splitlines() if "[ERROR]: " in line]
    return next((line[line.index(stem) :] for line in lines if stem and f"{stem}: " in line), "")


def diff_lines(diff: Any) -> Iterator[str]:
    """Yield the lines of a module's diff: a dict or a list of dicts, with ``before``/``after`` or ``prepared``."""
    for part in diff if isinstance(diff, list) else [diff]:
        if not isinstance(part, dict):
            continue
        if "prepared" in part:
            yield str(part["prepared"])
        if "before" in part or "after" in part:
            yield f"--- {part.get('before_header', 'before')}\n{part.get('before', '')}"
            yield f"+++ {part.get('after_header', 'after')}\n{part.get('after', '')}"


def without_rescued(outcomes: Iterable[Outcome], rescued: Mapping[str, int]) -> list[Outcome]:
    """Return the outcomes, with status ``rescued`` for failed tasks whose block had a ``rescue``.

    Args:
        outcomes: of a playbook, in order.
        rescued: host → number of its failed tasks that were rescued; a host that has failed for good runs nothing else,
            so that these are the first of its failed tasks.
    """
    left, found = dict(rescued), []
    for each in outcomes:
        if each.status == "failed" and left.get(each.host, 0) > 0:
            left[each.host] -= 1
            each = replace(each, status="rescued")
        found.append(each)
    return found


def failure(outcomes: list[Outcome], output: str, status: str, *, playbook: str, log: Path) -> ConvergeError:
    """Return the error for a failed run: the first cause, with host, role and task.

    Args:
        outcomes: all outcomes until it failed.
        output: Ansible's output, for a run that failed before any task.
        status: ansible-runner's status.
        playbook: its name.
        log: the file of the output.
    """
    causes = [outcome for outcome in outcomes if outcome.status in {"unreachable", "failed"}]
    hint = "fix it and run `proving-ground converge`"
    if causes:
        first = causes[0]
        word = "is unreachable" if first.status == "unreachable" else "failed"
        others = sorted({outcome.host for outcome in causes[1:] if outcome.task == first.task} - {first.host})
        also = f" (also on {', '.join(others)})" if others else ""
        message = " ".join(first.message.split())[:600]
        return ConvergeError(
            f"{word}{also}: {message} [{first.path}]",
            where=str(first),
            hint=hint,
            log=log,
            play=first.play,
            role=first.role,
            host=first.host,
        )
    if status == "timeout":
        return ConvergeError("did not end within its deadline", where=playbook, hint=hint, log=log)
    text = parse_error(output)
    return ConvergeError(text, where=playbook, hint=missing_hint(text) or hint, log=log)


def parse_error(output: str) -> str:
    """Return Ansible's error about a playbook that it cannot run, with file and line if Ansible names them."""
    error = next((line for line in output.splitlines() if line.startswith("[ERROR]: ")), last_words(output))
    origin = re.search(r"^Origin: (\S+)", output, re.MULTILINE)
    return error.removeprefix("[ERROR]: ") + (f" [{origin[1].removeprefix(f'{Path.cwd()}/')}]" if origin else "")
