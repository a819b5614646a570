"""A playbook is read for what it applies to whom, without Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.ansible.playbook import Step, is_for_nobody, pairs, steps, unreached
from proving_ground.core import topology
from proving_ground.core.errors import ConvergeError

ROOT = Path(__file__).parents[3]
PLAN = topology.load(ROOT / "topology", "default")

PLAYBOOK = """
- name: Foundation
  hosts: etcd:kube_worker
  roles: [base, {role: extra, tags: [x]}]
- name: Top
  hosts: kube_worker
  tasks:
    - name: Say
      ansible.builtin.debug: {msg: none}
    - name: Later
      ansible.builtin.import_role: {name: base, tasks_from: ready}
- name: Here
  hosts: localhost
  roles: [client]
"""


def read(tmp_path: Path, text: str) -> tuple[Step, ...]:
    (tmp_path / "site.yml").write_text(text, encoding="utf-8")
    return steps(tmp_path / "site.yml", PLAN)


def test_steps_come_in_the_order_of_the_playbook(tmp_path: Path) -> None:
    workers = ("kube-worker-01", "kube-worker-02")
    assert read(tmp_path, PLAYBOOK) == (
        Step("Foundation", "base", ("etcd-01", *workers)),
        Step("Foundation", "extra", ("etcd-01", *workers)),
        Step("Top", "base", workers),
        Step("Here", "client", ("localhost",)),
    )


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("lookup('env', 'PROJECT') | basename", "nginx"),
        ('lookup("ansible.builtin.env", "PROJECT")|basename', "nginx"),
        ("lookup('env', 'NAME')", "acme.web"),
        ("lookup('env', 'UNKNOWN')", None),
        ("lookup('env', 'NAME') | upper", None),
    ],
)
def test_a_role_named_by_a_variable_of_the_environment_has_its_name(
    tmp_path: Path, said: str, role: str | None
) -> None:
    text = "- hosts: etcd\n  roles:\n    - role: >-\n        {{ " + said + " }}\n"
    (tmp_path / "site.yml").write_text(text, encoding="utf-8")
    found = pairs(steps(tmp_path / "site.yml", PLAN, {"PROJECT": "/srv/nginx", "NAME": "acme.web"}))
    assert found == (() if role is None else (("etcd-01", role),))


def test_host_and_role_come_once(tmp_path: Path) -> None:
    found = pairs(read(tmp_path, PLAYBOOK))
    assert found.count(("kube-worker-01", "base")) == 1
    assert found[-1] == ("localhost", "client")


@pytest.mark.parametrize(
    ("play", "role", "expected"),
    [
        ("Foundation", "extra", {"extra", "base", "client"}),
        ("Top", "", {"base", "client"}),
        ("Here", "client", {"client"}),
        ("Here", "a dependency of another role", {"base", "extra", "client"}),
    ],
)
def test_what_comes_after_a_failure_is_not_converged(tmp_path: Path, play: str, role: str, expected: set[str]) -> None:
    assert unreached(read(tmp_path, PLAYBOOK), play, role) == expected


@pytest.mark.parametrize("text", ["a: 1", "- 1", "- [", "x"])
def test_what_is_no_playbook_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConvergeError, match=r"site\.yml"):
        read(tmp_path, text)


def test_this_projects_playbook_names_every_role_and_only_hosts_of_the_plan() -> None:
    found = steps(ROOT / "kubernetes.yml", PLAN)
    roles = {path.parent.relative_to(ROOT / "roles").as_posix() for path in ROOT.glob("roles/*/*/tasks")}
    assert {step.role for step in found} == roles
    assert {host for step in found for host in step.hosts} == {node.name for node in PLAN.nodes} | {"localhost"}


BLOCKS = """
- name: Deep
  hosts: kube_worker:!kube-worker-01
  pre_tasks:
    - block:
        - block: [{ansible.builtin.import_role: {name: first}}]
      rescue: [{include_role: {name: mend}}]
      always:
        - {name: Last, include_role: name=second tasks_from=x}
  tasks:
    - {name: No role, ansible.builtin.debug: {msg: include_role}}
"""


def test_roles_are_found_however_deep_in_blocks(tmp_path: Path) -> None:
    host = ("kube-worker-02",)
    assert read(tmp_path, BLOCKS) == tuple(Step("Deep", role, host) for role in ("first", "mend", "second"))


def test_a_role_that_a_template_names_has_no_test_of_its_own(tmp_path: Path) -> None:
    """As Molecule's own templates had it: only a run knows the role's name, so its changes are those outside roles."""
    name = "{{ lookup('env', 'MOLECULE_PROJECT_DIRECTORY') | basename }}"
    text = f'- hosts: etcd\n  tasks: [{{ansible.builtin.include_role: {{name: "{name}"}}}}]\n  roles: [base]\n'
    assert pairs(read(tmp_path, text)) == (("etcd-01", "base"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- {hosts: web}", True),
        ("- {hosts: web}\n- {hosts: [db, store]}", True),
        ("- {hosts: 'all:!nodes'}", True),
        ("- {hosts: web}\n- {hosts: etcd}", False),
        ("- {hosts: localhost}", False),
        ("- {hosts: '{{ target }}'}", False),
        ("- {import_playbook: other.yml}", True),
        ("- {ansible.builtin.import_playbook: other.yml}\n- {hosts: etcd}", False),
        ("- {import_playbook: acme.web.install}", False),
        ("[]", False),
    ],
)
def test_a_playbook_is_for_nobody_if_no_play_can_have_a_host(tmp_path: Path, text: str, *, expected: bool) -> None:
    (tmp_path / "other.yml").write_text("- {hosts: db}", encoding="utf-8")
    (tmp_path / "site.yml").write_text(text, encoding="utf-8")
    assert is_for_nobody(tmp_path / "site.yml", PLAN) is expected
