"""A single module's results come by host, as data; its failure names host and message."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from proving_ground.ansible.adhoc import ModuleError, Results, run_module
from proving_ground.core.settings import Settings
from proving_ground.process.processes import is_alive

INVENTORY = f"""
all:
  hosts: {{here: {{}}, there: {{}}}}
  vars: {{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}
  children:
    closed:
      hosts:
        away: {{ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    return Settings(tmp_path, "run-1")


def run(project: Settings, *words: object, **options: object) -> Results:
    return run_module(project, project.root / "inventory.yml", *words, **options)  # type: ignore[arg-type]


def test_results_come_by_host(project: Settings) -> None:
    found = run(project, "all:!closed", "ansible.builtin.stat", f"path={project.root}")
    assert set(found) == {"here", "there"}
    assert found["here"]["stat"]["isdir"] is True


def test_arguments_variables_and_environment_reach_the_module(project: Settings) -> None:
    found = run(
        project,
        "here",
        "ansible.builtin.command",
        {"argv": ["sh", "-c", 'echo "{{ said }}" "$UNIT it\'s"']},
        extra_vars={"said": "one two"},
        env={"UNIT": "three"},
    )
    assert found["here"]["stdout"] == "one two three it's"
    assert found["here"]["changed"] is True


def test_a_check_changes_nothing(project: Settings) -> None:
    file = project.root / "file"
    assert run(project, "here", "file", {"path": str(file), "state": "touch"}, check=True)["here"]["changed"]
    assert not file.exists()


def test_a_failure_names_host_module_and_message(project: Settings) -> None:
    with pytest.raises(ModuleError) as caught:
        run(project, "here:there", "command", {"argv": ["sh", "-c", "echo broken disk >&2; exit 3"]})
    error = caught.value
    assert error.host in {"here", "there"}
    other = ({"here", "there"} - {error.host}).pop()
    assert str(error) == f"{error.host}: command: failed (also on {other}): non-zero return code: broken disk"[:200]
    assert error.results["here"]["rc"] == 3


def test_a_host_that_is_unreachable_is_named(project: Settings) -> None:
    with pytest.raises(ModuleError, match=r"^away: ping: is unreachable: ") as caught:
        run(project, "all", "ping")
    assert caught.value.results["here"]["ping"] == "pong"


def test_no_host_is_no_success(project: Settings) -> None:
    with pytest.raises(ModuleError, match=r"^moon: ping: no host matches$"):
        run(project, "moon", "ping")


def test_a_module_that_is_none_is_told_in_ansibles_words(project: Settings) -> None:
    with pytest.raises(ModuleError, match=r"no_such_module"):
        run(project, "here", "no_such_module")


def test_a_module_that_does_not_end_is_ended(project: Settings) -> None:
    mark = project.root / "pid"
    start = time.monotonic()
    with pytest.raises(ModuleError, match=r"^here: command: did not end within 6 s$"):
        run(project, "here", "command", {"argv": ["sh", "-c", f"echo $$ >{mark}; exec sleep 300"]}, timeout=6)
    assert time.monotonic() - start < 60
    if mark.exists():  # on a slow host Ansible has not come so far
        number = int(mark.read_text(encoding="ascii"))
        assert not psutil.pid_exists(number) or not is_alive(psutil.Process(number)), "it goes on here"


def test_relative_paths_of_ansibles_configuration_are_the_projects(project: Settings) -> None:
    """As ssh's configuration in ``ssh_args``: ansible-runner runs a module in a directory of its own."""
    (project.root / "near").write_text("it is there", encoding="utf-8")
    arguments = {"argv": ["cat"], "stdin": "{{ lookup('pipe', 'cat near') }}"}
    assert run(project, "here", "ansible.builtin.command", arguments)["here"]["stdout"] == "it is there"
