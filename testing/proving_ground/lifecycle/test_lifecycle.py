"""A project needs no playbook: then its machines are up, and that is all that is said of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError, UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.project import read_project
from proving_ground.core.settings import Settings
from proving_ground.lifecycle import executor, preflight
from proving_ground.lifecycle.executor import Executor
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.lifecycle.state import State
from proving_ground.lifecycle.steps import ConvergeAll
from proving_ground.machines.ledger import Record


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that are taken, in words, and the inventory; none of it is done."""
    calls: list[str] = []
    monkeypatch.setattr(Executor, "run", lambda _, steps: calls.extend(str(step) for step in steps))
    monkeypatch.setattr(Lifecycle, "write_inventory", lambda _: calls.append("inventory"))
    monkeypatch.setattr(Lifecycle, "_network", lambda _: nullcontext())
    return calls


@pytest.mark.parametrize("checkpoints", [False, True])
def test_without_a_playbook_machines_are_made_and_nothing_is_run(
    tmp_path: Path, did: list[str], *, checkpoints: bool
) -> None:
    life = Lifecycle(Settings(tmp_path, "run-1", checkpoints=checkpoints), Progress())
    assert life.ensure_converged() is None
    assert did == ["create the machines", "inventory"]


def test_without_a_playbook_there_are_no_phases(tmp_path: Path) -> None:
    assert Lifecycle(Settings(tmp_path, "run-1"), Progress()).phases == ()


def test_a_playbook_that_is_not_there_cannot_be_run(tmp_path: Path) -> None:
    life = Lifecycle(Settings(tmp_path, "run-1"), Progress())
    with pytest.raises(
        UsageError, match=r"^the project has no playbook site\.yml — write it, or name another: "
    ) as caught:
        life.converge()
    assert caught.value.exit_code == 11
    assert not life.settings.state_directory.exists()


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    """Machines that are up and converged, of a project with a second playbook."""
    (tmp_path / "upgrade.yml").write_text("[]\n", encoding="utf-8")
    monkeypatch.setattr(State, "write_inventory", lambda _: tmp_path / "inventory.yml")
    life = Lifecycle(Settings(tmp_path, "run-1"), Progress())
    life.ledger.write(
        Record("run-1", "default", "docker", phase="converged", converged_key="k", reached="top", reached_key="k")
    )
    return life


def test_another_playbook_is_run_and_its_outcomes_come_back(life: Lifecycle, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run_playbook(settings: Settings, inventory: Path, _: Progress, *arguments: str, **__: object) -> Converge:
        asked.extend([settings.playbook, inventory.name, *arguments])
        return Converge((), Path("log"))

    monkeypatch.setattr(executor, "run_playbook", run_playbook)
    assert life.play("upgrade.yml", "--tags=one") == Converge((), Path("log"))
    assert asked == ["upgrade.yml", "inventory.yml", "--tags=one"]


@pytest.mark.parametrize("fails", [False, True])
def test_machines_are_not_what_was_converged_after_another_playbook(
    life: Lifecycle, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    def run_playbook(*_: object, **__: object) -> Converge:
        if fails:
            raise ConvergeError("failed")
        return Converge((), Path("log"))

    monkeypatch.setattr(executor, "run_playbook", run_playbook)
    with pytest.raises(ConvergeError) if fails else nullcontext():
        life.play("upgrade.yml")
    record = life.ledger.read()
    assert record is not None
    assert (record.phase, record.converged_key, record.reached, record.reached_key) == ("converged", "", "", "")


def test_another_playbook_that_is_not_there_is_told_with_the_nearest(life: Lifecycle) -> None:
    with pytest.raises(UsageError, match=r"^there is no playbook upgarde\.yml — did you mean upgrade\.yml\?$"):
        life.play("upgarde.yml")
    record = life.ledger.read()
    assert record is not None
    assert record.converged_key == "k", "nothing has been run"


def test_a_playbook_that_runs_no_task_is_an_error_that_names_groups_and_machines(
    life: Lifecycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = life.settings.root / "topology"
    directory.mkdir()
    (directory / "default.yml").write_text("machines: {web: {groups: [front]}}\n", encoding="utf-8")
    monkeypatch.setattr(executor, "run_playbook", lambda *_, **__: Converge((), Path("log")))
    with pytest.raises(ConvergeError, match=r"^site\.yml: it ran no task: .* \(log: log\)$") as caught:
        Executor(life.state, Progress()).run([ConvergeAll("k")])
    assert "nodes, front, web-01" in caught.value.hint
    record = life.ledger.read()
    assert record is not None
    assert record.converged_key != "", "as it was: nothing has been run"


@pytest.mark.parametrize("phase", [Lifecycle.syntax, Lifecycle.create, Lifecycle.ensure_converged])
def test_a_playbook_for_nobody_is_an_error_before_there_are_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: Callable[[Lifecycle], object]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.proving-ground]\nimage = "i"\nmachines.web = {}', encoding="utf-8")
    (tmp_path / "site.yml").write_text("- {hosts: webs, roles: [web]}\n", encoding="utf-8")
    monkeypatch.setattr(preflight, "check", lambda *_: pytest.fail("the host was looked at"))
    life = Lifecycle(Settings(tmp_path, "run-1", provider="container", project=read_project(tmp_path)), Progress())
    with pytest.raises(ConvergeError, match=r"^site\.yml: no play's `hosts` match a machine — .*nodes, web, web-01$"):
        phase(life)
    assert life.state.record is None
