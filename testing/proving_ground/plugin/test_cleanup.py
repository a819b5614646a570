"""cleanup.yml runs once before the machines are removed, whatever the tests came to, and never keeps them from that."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from proving_ground.ansible.runner import Converge
from proving_ground.cli.main import main
from proving_ground.core.errors import ConvergeError
from proving_ground.core.settings import Settings
from proving_ground.depot import View
from proving_ground.host import networks
from proving_ground.lifecycle import executor, machines, preflight
from proving_ground.lifecycle.state import State
from proving_ground.machines.ledger import Ledger, Record

pytest_plugins = ["pytester"]


@pytest.fixture
def did(planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to machines that are only said to be there, in a project with a cleanup."""
    planned.makefile(".toml", pyproject="[tool.proving-ground]")
    planned.makefile(".yml", site="- {name: First, hosts: etcd, roles: [store]}", cleanup="- {hosts: etcd}")
    calls: list[str] = []

    def create(settings: Settings, *_: object, **__: object) -> Record:
        calls.append("create")
        return Ledger(settings.state_directory).write(
            Record(settings.run_id, settings.topology, settings.provider, phase="created")
        )

    def destroy(settings: Settings, *_: object) -> bool:
        calls.append("destroy")
        Ledger(settings.state_directory).clear()
        return True

    def run_playbook(settings: Settings, *_: object, **__: object) -> Converge:
        calls.append(settings.playbook)
        if settings.playbook == "cleanup.yml" and (settings.root / "fails").exists():
            raise ConvergeError("failed: no route", where="etcd-01: Deregister", play="Cleanup")
        return Converge((), Path("log"))

    monkeypatch.setattr(machines, "create", create)
    monkeypatch.setattr(machines, "destroy", destroy)
    monkeypatch.setattr(executor, "run_playbook", run_playbook)
    monkeypatch.setattr(preflight, "check", lambda *_: None)
    monkeypatch.setattr(preflight, "check_reachable", lambda *_: None)
    monkeypatch.setattr(networks, "reserved", lambda *_, **__: nullcontext(None))
    monkeypatch.setattr(State, "write_inventory", lambda state: state.settings.root / "inventory.yml")
    monkeypatch.setattr(State, "view", View(Path("view"), ""))
    monkeypatch.setattr(State, "key", lambda *_: "key")
    monkeypatch.chdir(planned.path)
    return calls


def run(project: pytest.Pytester, *arguments: str, test: str = "pass") -> pytest.RunResult:
    project.makepyfile(test_own=f"def test_own(pg_machines): {test}")
    return project.runpytest("-p", "no:cacheprovider", "-rfs", *arguments)


CHOSEN = ("-k", "own or cleanup")


def test_it_is_the_last_test(planned: pytest.Pytester, did: list[str]) -> None:
    result = run(planned, "--collect-only", "-q")
    listed = [line for line in result.outlines if "::" in line]
    assert listed[-2:] == ["test_own.py::test_own", "steps::test_cleanup"]
    assert did == []


def test_it_runs_once_before_the_removal(planned: pytest.Pytester, did: list[str]) -> None:
    run(planned, *CHOSEN).assert_outcomes(passed=2, deselected=4)
    assert did == ["create", "cleanup.yml", "destroy"]


@pytest.mark.parametrize("arguments", [("test_own.py",), ("-k", "own"), ("-x",)])
def test_it_runs_without_its_test_also_after_a_failure(
    planned: pytest.Pytester, did: list[str], arguments: tuple[str, ...]
) -> None:
    run(planned, "--pg-keep=never", *CHOSEN, *arguments, test="assert False")
    assert did == ["create", "cleanup.yml", "destroy"]


def test_machines_that_stay_are_not_cleaned_until_they_are_destroyed(planned: pytest.Pytester, did: list[str]) -> None:
    result = run(planned, *CHOSEN, test="assert False")
    result.stdout.fnmatch_lines(["SKIPPED*the machines stay; `proving-ground destroy` runs it"])
    assert did == ["create"]
    assert main(["destroy"]) == 0
    assert did == ["create", "cleanup.yml", "destroy"]


def test_its_failure_is_a_failed_test_and_the_machines_go_all_the_same(
    planned: pytest.Pytester, did: list[str]
) -> None:
    (planned.path / "fails").touch()
    result = run(planned, *CHOSEN)
    result.assert_outcomes(passed=1, failed=1, deselected=4)
    result.stdout.fnmatch_lines(["FAILED steps::test_cleanup - *Deregister: failed: no route*"])
    assert (result.ret, did) == (1, ["create", "cleanup.yml", "destroy"])


def test_without_its_test_its_failure_is_that_of_the_run(planned: pytest.Pytester, did: list[str]) -> None:
    (planned.path / "fails").touch()
    result = run(planned, "test_own.py")
    result.stdout.fnmatch_lines(["error: etcd-01: Deregister: failed: no route"])
    assert (result.ret, did) == (15, ["create", "cleanup.yml", "destroy"])


def test_destroy_goes_on_after_its_failure(
    planned: pytest.Pytester, did: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (planned.path / "fails").touch()
    run(planned, "--pg-keep=always", "test_own.py")
    assert main(["destroy"]) == 0
    assert "cleanup has failed, the removal goes on: etcd-01: Deregister: failed: no route" in capsys.readouterr().err
    assert did == ["create", "cleanup.yml", "destroy"]
