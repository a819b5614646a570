"""Run a program with a deadline and a log; an error names the program, the cause and the log."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from proving_ground.core.errors import HarnessError
from proving_ground.process.processes import end, in_session, process_of
from proving_ground.process.programs import not_installed


def run(
    command: Sequence[str],
    *,
    error: type[HarnessError],
    where: str,
    timeout: float,
    log: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    hint: str = "",
) -> str:
    """Run ``command`` to its end and return its standard output.

    Args:
        command: program and arguments.
        error: what is raised when it fails, is missing, or does not end in time.
        where: what the error says it concerns.
        timeout: seconds; then it is killed, with all of its session.
        log: gets the command and all its output, appended.
        cwd: where it runs.
        env: variables on top of this process's own.
        hint: what the error says to do.

    Raises:
        HarnessError: of the class ``error``.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    except FileNotFoundError as missing:
        raise error(f"{command[0]} is not installed", where=where, hint=not_installed(command[0]).hint) from missing
    session = process_of(process.pid)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except BaseException as interruption:
        end(partial(in_session, session), grace=0)
        stdout, stderr = _rest(process)
        _append(log, command, stdout + stderr)
        if isinstance(interruption, subprocess.TimeoutExpired):
            text = f"`{' '.join(command[:4])}` did not end within {timeout:.0f} s"
            raise error(text, where=where, hint=hint, log=log) from interruption
        raise
    _append(log, command, stdout + stderr)
    if process.returncode != 0:
        raise error(last_words(stderr or stdout), where=where, hint=hint, log=log)
    return stdout


def last_words(output: str) -> str:
    """The line of a program's output that most likely tells the cause: the last error line, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        if any(word in line.lower() for word in ("error", "failed", "cannot", "denied", "fatal", "no such")):
            return line
    return lines[-1] if lines else "it failed without a word"


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process that has been killed had still said; what has left its session may keep its outputs open."""
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        return "", ""


def _append(log: Path | None, command: Sequence[str], output: str) -> None:
    if log is None:
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{output}\n")
