"""Turn Ansible's events into outcomes by host, role and task; find the first cause of a failed run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

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
    """What one task did on one host.

    Attributes:
        host: its name in the inventory.
        role: the role's name, or "" for a task of a play.
        task: the task's name.
        path: file and line of the task.
        status: ``ok``, ``changed``, ``failed``, ``ignored``, ``unreachable`` or ``skipped``.
        seconds: how long it took.
        message: the module's words on a failure; empty where the task hides its output.
        diff: before and after, as Ansible prints it; empty unless asked for.
        play: the play's name.
        start: when it began, in seconds since 1970; 0 where Ansible does not tell.
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

    def __str__(self) -> str:
        return f"{self.host}: {self.role} : {self.task}" if self.role else f"{self.host}: {self.task}"

    def change(self) -> str:
        """What it changed: host, role, task, file and line, then what was before and after."""
        return f"{self} [{self.path}]\n{self.diff or '(the module tells no difference)'}"

    def facts(self) -> dict[str, Any]:
        """What the report keeps of it: no difference, which may be long, and no words of a module that succeeded."""
        failed = self.status in {"failed", "unreachable", "ignored"}
        return {name: value for name, value in asdict(self).items() if name != "diff" and (failed or name != "message")}


def role_name(text: str) -> str:
    """The name of a role that a play names, which may be the path of a role that lies elsewhere."""
    return text.rstrip("/").rpartition("/")[2] if text.startswith("/") else text


def outcome_of(event: str, data: dict[str, Any], printed: str = "") -> Outcome:
    """The outcome that an event of ansible-runner tells of.

    Args:
        event: its kind, one of ``STATUSES``.
        data: its ``event_data``.
        printed: its ``stdout``, what Ansible printed with it.
    """
    result = data.get("res") or {}
    status = STATUSES[event]
    if status == "ok" and result.get("changed"):
        status = "changed"
    if status == "failed" and data.get("ignore_errors"):
        status = "ignored"
    return Outcome(
        host=str(data.get("host", "")),
        role=role_name(str(data.get("role", ""))),
        task=str(data.get("task", "")),
        path=str(data.get("task_path", "")).removeprefix(f"{Path.cwd()}/"),
        status=status,
        seconds=float(data.get("duration") or 0.0),
        # Tasks hide what they know to be secret; this is for what nobody has thought of.
        message=redact(message_of(result, printed)),
        diff=redact("\n".join(diff_lines(result.get("diff")))),
        play=str(data.get("play", "")),
        start=datetime.fromisoformat(data["start"]).timestamp() if data.get("start") else 0.0,
    )


def message_of(result: dict[str, Any], printed: str = "") -> str:
    """The words in which a module's result tells why it failed; empty where output is hidden (``no_log``)."""
    texts = {key: str(result.get(key) or "").strip() for key in ("msg", "stderr", "stdout", "censored")}
    said = next((text for text in texts.values() if text), "")
    output = texts["stderr"] or texts["stdout"]
    if output and said != output:
        # "non-zero return code" is Ansible's word for it; the program's own last word is the cause.
        return f"{said}: {last_words(output)}"
    return whole_message(texts["msg"], printed) or said


def whole_message(message: str, printed: str) -> str:
    """A message with the cause that only Ansible's own error line tells ("Error executing command: [Errno 2] …")."""
    stem = message.removesuffix(".")
    lines = [line.rstrip() for line in COLOUR.sub("", printed).splitlines() if "[ERROR]: " in line]
    return next((line[line.index(stem) :] for line in lines if stem and f"{stem}: " in line), "")


def diff_lines(diff: Any) -> Iterator[str]:
    """Lines of a module's diff: a dict, or a list of them, with ``before``/``after`` or ``prepared``."""
    for part in diff if isinstance(diff, list) else [diff]:
        if not isinstance(part, dict):
            continue
        if "prepared" in part:
            yield str(part["prepared"])
        if "before" in part or "after" in part:
            yield f"--- {part.get('before_header', 'before')}\n{part.get('before', '')}"
            yield f"+++ {part.get('after_header', 'after')}\n{part.get('after', '')}"


def failure(outcomes: list[Outcome], output: str, status: str, *, playbook: str, log: Path) -> ConvergeError:
    """The error that a failed run is reported as: the first cause, by host, role and task.

    Args:
        outcomes: all there were until it failed.
        output: what Ansible printed, for a run that failed before any task.
        status: ansible-runner's word for how it ended.
        playbook: its name.
        log: where the output lies.
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
    return ConvergeError(parse_error(output), where=playbook, hint=hint, log=log)


def parse_error(output: str) -> str:
    """What Ansible says of a playbook that it cannot run: its error, and file and line where it tells them."""
    error = next((line for line in output.splitlines() if line.startswith("[ERROR]: ")), last_words(output))
    origin = re.search(r"^Origin: (\S+)", output, re.MULTILINE)
    return error.removeprefix("[ERROR]: ") + (f" [{origin[1].removeprefix(f'{Path.cwd()}/')}]" if origin else "")
