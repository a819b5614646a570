"""An existing inventory is read as Ansible reads it; what cannot be used is one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.existing_inventory import read
from proving_ground.ansible.patterns import Patterns
from proving_ground.core.errors import UsageError
from proving_ground.core.settings import Settings

HOSTS = """
all:
  children:
    web:
      hosts:
        web-02: {ansible_host: 192.0.2.2, role: second}
        web-01: {ansible_host: one.example}
    nodes: {hosts: {web-02: {}}}
    site: {children: {web: {}}, hosts: {localhost: {ansible_connection: local}}}
"""


def settings(root: Path, name: str, limit: str = "") -> Settings:
    return Settings(root, "run", provider="existing", inventory=root / name, limit=limit, converge=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yml").write_text(HOSTS, encoding="utf-8")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "web.yml").write_text("port: 80\n", encoding="utf-8")
    return tmp_path


def test_hosts_have_the_groups_and_variables_that_ansible_gives_them(project: Path) -> None:
    topology = read(settings(project, "inventory.yml"))
    assert [node.name for node in topology.nodes] == ["web-02", "web-01", "localhost"], "the inventory's order"
    second = topology.node("web-02")
    assert set(second.groups) == {"web", "nodes", "site"}, "groups of groups, but not all and ungrouped"
    assert second.variables == {"ansible_host": "192.0.2.2", "role": "second", "port": 80}
    assert (str(second.address), str(topology.node("web-01").address)) == ("192.0.2.2", "0.0.0.0")


def test_patterns_mean_the_inventorys_own_groups_and_hosts(project: Path) -> None:
    patterns = Patterns(read(settings(project, "inventory.yml")))
    assert patterns.hosts("nodes") == ("web-02",), "a group of the user, not all machines"
    assert patterns.hosts("all") == ("web-02", "web-01", "localhost")
    assert patterns.hosts("site:!nodes") == ("web-01", "localhost")


def test_a_limit_leaves_the_hosts_that_match(project: Path) -> None:
    topology = read(settings(project, "inventory.yml", "web:!nodes"))
    assert [node.name for node in topology.nodes] == ["web-01"]
    with pytest.raises(UsageError, match=r"--pg-limit: no host of the inventory matches 'wbe' — did you mean web\?"):
        read(settings(project, "inventory.yml", "wbe"))


def test_an_inventory_is_a_script_or_a_directory_too(project: Path) -> None:
    folder = project / "hosts"
    folder.mkdir()
    (folder / "static.ini").write_text("[db]\ndb-01\n", encoding="utf-8")
    script = folder / "dynamic"
    said = '{"cloud": {"hosts": ["vm-7"]}, "_meta": {"hostvars": {"vm-7": {"size": 3}}}}'
    script.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    script.chmod(0o755)
    assert [node.name for node in read(settings(project, "hosts/dynamic")).nodes] == ["vm-7"]
    both = read(settings(project, "hosts"))
    assert {node.name: node.groups for node in both.nodes} == {"vm-7": ("cloud",), "db-01": ("db",)}
    assert both.node("vm-7").variables == {"size": 3}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.yml", "all:\n  hosts: [a\n", "bad.yml: YAML parsing failed: "),
        ("bad.ini", "[web\nx\n", "bad.ini: Failed to parse inventory: "),
        ("empty.ini", "[web]\n", "empty.ini: the inventory has no host — add one"),
        ("script", "#!/bin/sh\necho no token >&2\nexit 3\n", "exit code 3. It said: no token — see ansible-inventory"),
    ],
)
def test_an_inventory_that_cannot_be_used_is_one_line(project: Path, name: str, text: str, message: str) -> None:
    (project / name).write_text(text, encoding="utf-8")
    (project / name).chmod(0o755 if text.startswith("#!") else 0o644)
    with pytest.raises(UsageError) as caught:
        read(settings(project, name))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
