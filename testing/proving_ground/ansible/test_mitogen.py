"""Mitogen's strategies leave machines alone that an engine's exec reaches; the run says so, and only then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.ansible.mitogen import notice
from proving_ground.ansible.search_paths import CONNECTION_PLUGINS
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings

CONFIG = "[defaults]\nstrategy = mitogen_linear\n"
LINE = "strategy mitogen_linear is left out: machines are reached by docker exec, and tasks run as usual"
ENGINE = """#!/bin/sh
echo exec >> "{calls}"
shift 5
exec "$@"
"""
PLAYBOOK = """
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - {ansible.builtin.copy: {content: hello, dest: "{{ playbook_dir }}/copied"}}
"""


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSIBLE_STRATEGY", "ANSIBLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("provider", "config", "variables", "expected"),
    [
        ("container", CONFIG, {}, LINE),
        ("podman", CONFIG, {}, LINE.replace("docker", "podman")),
        ("container", "", {"ANSIBLE_STRATEGY": "mitogen_linear"}, LINE),
        ("container", CONFIG, {"ANSIBLE_STRATEGY": "linear"}, ""),
        ("container", "[defaults]\nstrategy = free\n", {}, ""),
        ("container", "", {}, ""),
        ("docker", CONFIG, {}, ""),
    ],
)
def test_it_is_told_where_mitogen_has_no_effect(
    tmp_path: Path, provider: str, config: str, variables: dict[str, str], expected: str
) -> None:
    (tmp_path / "ansible.cfg").write_text(config, encoding="utf-8")
    project = Project(playbook_environment=tuple(variables.items()))
    assert notice(Settings(tmp_path, "run", provider=provider, project=project)) == expected


def test_tasks_of_mitogens_strategy_run_by_the_engines_exec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_on_path: Callable[[str, str], None]
) -> None:
    """By Ansible and mitogen themselves; the engine is a program that runs here what it would run in a container."""
    mitogen = pytest.importorskip("ansible_mitogen")
    put_on_path("docker", ENGINE.format(calls=tmp_path / "calls"))
    monkeypatch.setenv("ANSIBLE_STRATEGY_PLUGINS", str(Path(mitogen.__file__).parent / "plugins" / "strategy"))
    monkeypatch.setenv("ANSIBLE_STRATEGY", "mitogen_linear")
    monkeypatch.setenv("ANSIBLE_CONNECTION_PLUGINS", str(CONNECTION_PLUGINS))
    (tmp_path / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    variables = f"ansible_connection=proving_ground_container ansible_python_interpreter={sys.executable}"
    (tmp_path / "hosts").write_text(f"box {variables} ansible_user=root ansible_become_user=root\n", encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run([program, "-i", "hosts", "site.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "copied").read_text(encoding="utf-8") == "hello"
    assert (tmp_path / "calls").exists(), "it is the engine that has run it"
