"""Write the playbook of a project that is a role and has none: it applies the role to every machine."""

from __future__ import annotations

import json

from proving_ground.core.settings import Settings

TEXT = """\
# Made by Proving Ground, since this project has no playbook of its own. Write converge.yml beside it to replace this.
- name: Apply the role
  hosts: {hosts}
  become: true
  roles:
    - role: {role}
"""


def ensure_playbook(settings: Settings) -> None:
    """Write the playbook where the project needs one; do nothing in all other projects."""
    if not settings.playbook.startswith(f"{settings.state_directory.name}/"):
        return
    path = settings.root / settings.playbook
    hosts = "all" if settings.is_existing else "nodes"
    text = TEXT.format(
        hosts=hosts, role=json.dumps(str(settings.root))
    )  # a path: Ansible finds the role wherever it lies
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
