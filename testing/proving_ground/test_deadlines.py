"""Nothing is waited for without end: each call that starts a program, or waits for one, says how long."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CALLS = {
    *("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("socket.create_connection", "urllib.request.urlopen", "ansible_runner.run", "ansible_runner.run_command"),
}
"""Calls that have to name a ``timeout``."""

WAITS = {"communicate", "wait"}
"""Methods of a process that have to be given one, by name or as the only argument."""

POPEN = {
    "src/proving_ground/process/commands.py",
    "src/proving_ground/process/services.py",
    "src/proving_ground/depot/job.py",
    "src/proving_ground/kubernetes/port_forward.py",
    "src/proving_ground/kubernetes/simulated_nodes/controller.py",
    "src/proving_ground/kubernetes/upstream/execution.py",
    "src/proving_ground/machines/deadline.py",
    "src/proving_ground/plugin/fault_runs.py",
}
"""Modules that start a program and wait for it later, each with a deadline of its own."""

WITHOUT = {"src/proving_ground/cli/commands.py:verify": "pytest in the foreground: all that it does has deadlines"}


def unbounded(source: str, module: str) -> Iterator[str]:
    """Where something is waited for without end, as ``function: call``."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            bounded = any(keyword.arg == "timeout" for keyword in call.keywords)
            if (name in CALLS and not bounded) or (name == "subprocess.Popen" and module not in POPEN):
                yield f"{function.name}: {name}"
            method = name.rpartition(".")[2]
            if module in POPEN and method in WAITS and not bounded and not call.args:
                yield f"{function.name}: {name}"


SOURCES = [path for part in ("src", "fixtures", "tests") for path in sorted((ROOT / part).rglob("*.py"))]


def test_everything_that_is_waited_for_has_a_deadline() -> None:
    found = [
        f"{module}:{each}"
        for path in SOURCES
        for module in [str(path.relative_to(ROOT))]
        for each in unbounded(path.read_text(encoding="utf-8"), module)
    ]
    assert {each.rpartition(": ")[0] for each in found} == set(WITHOUT), found


def test_every_module_that_is_excused_starts_programs() -> None:
    for module in POPEN:
        assert "subprocess.Popen(" in (ROOT / module).read_text(encoding="utf-8"), module


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("subprocess.run(['x'])", ["f: subprocess.run"]),
        ("subprocess.run(['x'], timeout=3)", []),
        ("subprocess.Popen(['x'])", ["f: subprocess.Popen"]),
        ("urllib.request.urlopen('x')", ["f: urllib.request.urlopen"]),
    ],
)
def test_a_wait_without_end_is_found(line: str, found: list[str]) -> None:
    assert list(unbounded(f"def f():\n    {line}\n", "m.py")) == found


def test_a_process_that_is_waited_for_without_end_is_found() -> None:
    source = "def f(process):\n    process.wait()\n    process.communicate(timeout=3)\n    process.wait(3)\n"
    assert list(unbounded(source, min(POPEN))) == ["f: process.wait"]
