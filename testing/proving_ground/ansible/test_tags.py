"""Tags that keep tasks out of a test, or out of its second converge, as Molecule has them: run by Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.runner import attempt_playbook
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.lifecycle.lifecycle import NOT_REPEATED

PLAYBOOK = """
- name: Tagged
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - {name: Plain, ansible.builtin.debug: {}}
    - {name: Never here, ansible.builtin.debug: {}, tags: [notest]}
    - {name: Never here either, ansible.builtin.debug: {}, tags: [molecule-notest]}
    - {name: Always changes, ansible.builtin.debug: {}, changed_when: true, tags: [molecule-idempotence-notest]}
"""


@pytest.mark.parametrize(
    ("arguments", "ran"), [((), ["Plain", "Always changes"]), ((f"--skip-tags={NOT_REPEATED}",), ["Plain"])]
)
def test_tagged_tasks_are_left_out(tmp_path: Path, arguments: tuple[str, ...], ran: list[str]) -> None:
    (tmp_path / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "inventory.yml").write_text("all: {hosts: {web-01: {}}}\n", encoding="utf-8")
    progress = Progress(write=lambda _: None)
    done = attempt_playbook(Settings(tmp_path, "run"), tmp_path / "inventory.yml", progress, *arguments)
    assert done.error is None
    assert [outcome.task for outcome in done.outcomes] == ran
