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
        error: class of the error that it raises if the program fails, is missing, or does not end in time.
        where: the error's ``where``.
        timeout: seconds; then it kills all processes of the program's session.
        log: file to which it appends the command and all its output.
        cwd: the program's working directory.
        env: environment variables in addition to this process's own.
        hint: the error's ``hint``.

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
    """Return the line of a program's output that most likely names the cause: the last error line, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        if any(word in line.lower() for word in ("error", "failed", "cannot", "denied", "fatal", "no such")):
            return line
    return lines[-1] if lines else "it failed without any output"


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the rest of a killed process's output; a process that left the session may still hold its pipes open."""
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
