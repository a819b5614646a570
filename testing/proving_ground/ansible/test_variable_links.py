"""The project's variables are those of its inventory, wherever the playbook lies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proving_ground.ansible.inventory import inventory
from proving_ground.ansible.variable_links import ensure_variable_links
from proving_ground.core.settings import Settings
from proving_ground.core.topology import parse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project with variables of a host and of a group, and one machine."""
    for name, text in {"host_vars/web-01.yml": "port: 1", "group_vars/web/main.yml": "{port: 2, user: www}"}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = Settings(tmp_path, "run")
    settings.state_directory.mkdir()
    plan = parse("own", {"machines": {"web": {"variables": {"port": 3, "kept": 4}}}})
    text = inventory(plan, user="root", python="/usr/bin/python3", connections={"web-01": {}}, common={})
    (settings.state_directory / "inventory.yml").write_text(text, encoding="utf-8")
    return settings


def test_ansible_reads_them_with_the_generated_inventory(settings: Settings) -> None:
    ensure_variable_links(settings)
    program = Path(sys.executable).parent / "ansible-inventory"
    inventory_file = settings.state_directory / "inventory.yml"
    command = [str(program), "-i", str(inventory_file), "--host", "web-01"]
    said = subprocess.run(command, cwd=settings.root, capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(said.stdout)
    assert {name: found[name] for name in ("port", "user", "kept")} == {"port": 1, "user": "www", "kept": 4}


def test_a_directory_that_is_gone_leaves_no_link(settings: Settings) -> None:
    ensure_variable_links(settings)
    ensure_variable_links(settings)
    assert (settings.state_directory / "host_vars" / "web-01.yml").is_file()
    (settings.root / "host_vars").rename(settings.root / "elsewhere")
    ensure_variable_links(settings)
    assert [path.name for path in settings.state_directory.iterdir() if path.is_symlink()] == ["group_vars"]
