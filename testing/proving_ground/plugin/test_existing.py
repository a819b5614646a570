"""Tests run on the hosts of an existing inventory, which is changed only on request, and never created or removed."""

from __future__ import annotations

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.template import Templar

from proving_ground.cli.main import main
from proving_ground.lifecycle.executor import Executor
from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]

KEPT = (InventoryManager, Templar)
"""Imported here, since Ansible cannot be imported twice: pytest in this process forgets what a run has imported."""

HOSTS = """
all:
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  children:
    web: {hosts: {one: {}, two: {}}}
    db: {hosts: {three: {}}}
"""
PLAYBOOK = """
- hosts: web
  gather_facts: false
  tasks:
    - copy: {dest: "{{ playbook_dir }}/{{ inventory_hostname }}.txt", content: hello}
"""
TESTS = """
import pytest

@pytest.mark.hosts("all", "!db")
def test_web(host, pg_node):
    assert host.check_output("echo hi") == "hi"
    assert pg_node.groups == ("web",)

def test_changes(pg_second_converge): pass

@pytest.mark.before_converge
def test_playbook(pg_playbook):
    pg_playbook("site.yml")
"""


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makefile(".toml", pyproject='[tool.proving-ground]\ninventory = "hosts.yml"')
    planned.makefile(".yml", hosts=HOSTS, site=PLAYBOOK)
    planned.makepyfile(test_x=TESTS)
    return planned


def written(project: pytest.Pytester) -> list[str]:
    return sorted(path.name for path in project.path.glob("*.txt"))


def test_hosts_are_tested_as_they_are(project: pytest.Pytester) -> None:
    result = project.runpytest("-rs", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, skipped=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "proving ground: 3 hosts of inventory hosts.yml, as they are",
            "*site.yml would change the hosts of inventory hosts.yml — ask for it: --pg-converge*",
            "  ansible-console -i hosts.yml three",
            "SKIPPED*hosts of an inventory are converged only on request: --pg-converge",
        ]
    )
    result.stdout.no_fnmatch_line("*proving-ground destroy*")
    assert written(project) == [], "nothing has changed them"


def test_a_profile_may_be_an_inventory(project: pytest.Pytester) -> None:
    table = '[tool.proving-ground]\nsteps = false\n[tool.proving-ground.profiles.real]\ninventory = "hosts.yml"\n'
    project.makefile(".toml", pyproject=table)
    result = project.runpytest("--pg-profile=real", "-p", "no:cacheprovider", "-k", "test_web")
    result.assert_outcomes(passed=2, deselected=2)


def test_they_are_converged_on_request_within_the_limit(project: pytest.Pytester) -> None:
    result = project.runpytest("-v", "-p", "no:cacheprovider", "--pg-converge", "--pg-limit", "one")
    result.stdout.fnmatch_lines(
        ["steps::test_syntax PASSED*", "steps::test_converge PASSED*", "test_x.py::test_web?one? PASSED*"]
    )
    result.assert_outcomes(passed=6)
    assert written(project) == ["one.txt"]


def test_workers_share_the_hosts_and_converge_them_once(project: pytest.Pytester) -> None:
    (project.path / "test_x.py").unlink()
    count = "{shell: echo once >> runs, args: {chdir: '{{ playbook_dir }}'}, changed_when: false}"
    project.makefile(".yml", site=f"- {{hosts: one, gather_facts: false, tasks: [{count}]}}")
    test = 'def test_it(host, worker_id): assert host.check_output("echo hi") == "hi"; open(worker_id, "w").close()'
    project.makepyfile(test_a=test, test_b=test)
    result = project.runpytest_subprocess("-n2", "-p", "no:cacheprovider", "--pg-converge")
    result.assert_outcomes(passed=9)  # three steps, and a test of each file on each host
    assert (project.path / "runs").read_text(encoding="utf-8").split() == ["once", "once"], "with the second converge"
    assert {path.name for path in project.path.glob("gw*")} == {"gw0", "gw1"}, "both have tested"


def test_hosts_that_do_not_answer_end_the_run_before_any_test(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_SSH_CONTROL_PATH_DIR", "/tmp")  # a socket's path has to be short
    project.makefile(".ini", gone="one ansible_host=127.0.0.1 ansible_port=1\n")
    result = project.runpytest("-p", "no:cacheprovider", "--pg-inventory", "gone.ini")
    assert result.ret == 14
    result.stdout.fnmatch_lines(["*gone.ini: 1 of 1 hosts do not answer: one: *Connection refused — see `ansible*"])
    result.assert_outcomes()


def test_nothing_of_them_is_ever_removed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    removed: list[str] = []
    monkeypatch.setattr("proving_ground.lifecycle.machines.destroy", lambda *_: removed.append("asked"))
    monkeypatch.chdir(project.path)
    assert main(["create"]) == 0
    assert "proving-ground destroy" not in capsys.readouterr().out
    assert not removed
    state = project.path / ".proving-ground"
    assert Ledger(state).read() is None, "no record: nothing was made"
    result = project.runpytest("-p", "no:cacheprovider", "--pg-keep=never", "-k", "web")
    result.assert_outcomes(passed=2, deselected=2)
    assert not removed
    assert written(project) == []


def test_destroy_removes_the_projects_machines_not_the_hosts(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    destroyed: list[str] = []

    def destroy(settings: object, _: object) -> bool:
        destroyed.append(str(getattr(settings, "provider", None)))
        return True

    def clean_up(executor: Executor) -> None:
        """What a playbook before the removal would be run on."""
        destroyed.append(str(executor.state.write_inventory().relative_to(project.path)))

    monkeypatch.setattr("proving_ground.lifecycle.machines.destroy", destroy)
    monkeypatch.setattr(Executor, "clean_up", clean_up)
    monkeypatch.chdir(project.path)
    Ledger(project.path / ".proving-ground").write(Record("run", "default", "container", phase="created"))
    assert main(["destroy"]) == 0
    assert destroyed == [".proving-ground/inventory.yml", "container"], "what another run of the project made"
    assert (project.path / "hosts.yml").read_text(encoding="utf-8").strip() == HOSTS.strip(), "it is the user's"


def test_commands_converge_because_they_are_the_request(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    assert main(["up", "--limit", "two"]) == 0
    assert written(project) == []
    assert main(["converge", "--limit", "two"]) == 0
    assert written(project) == ["two.txt"]
    assert main(["idempotence", "--limit", "two"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pg-inventory", "host.yml"], "--pg-inventory: there is no inventory host.yml — did you mean hosts.yml?"),
        (
            ["--pg-provider", "docker", "--pg-converge"],
            "--pg-converge: is for hosts of an inventory, and the provider is",
        ),
        (["--pg-provider", "docker", "--pg-limit", "one"], "--pg-limit: is for hosts of an inventory"),
        (["--pg-checkpoints"], "--pg-checkpoints: hosts of an inventory are neither saved nor restored — drop"),
        (["--pg-network-prefix", "10.8.0"], "--pg-network-prefix: hosts of an inventory are where they are"),
        (["--pg-topology", "default"], "--pg-topology: the machines are the hosts of the inventory"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    result = project.runpytest("-p", "no:cacheprovider", *arguments)
    assert result.ret == 11
    assert message in "\n".join([*result.outlines, *result.errlines])


def test_the_provider_alone_asks_for_an_inventory(planned: pytest.Pytester) -> None:
    result = planned.runpytest("-p", "no:cacheprovider", "--pg-provider", "existing")
    assert result.ret == 11
    text = "--pg-provider: provider existing needs an inventory — name it: --pg-inventory, or `inventory` in"
    assert text in "\n".join([*result.outlines, *result.errlines])


def test_an_inventory_in_the_settings_has_to_exist(planned: pytest.Pytester) -> None:
    planned.makefile(".toml", pyproject='[tool.proving-ground]\ninventory = "invntory"')
    (planned.path / "inventory").mkdir()
    result = planned.runpytest("-p", "no:cacheprovider")
    assert result.ret == 11
    text = "pyproject.toml: inventory: there is no inventory invntory — did you mean inventory?"
    assert text in "\n".join([*result.outlines, *result.errlines])
