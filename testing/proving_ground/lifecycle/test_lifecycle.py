"""A project needs no playbook: then its machines are up, and that is all that is said of them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.lifecycle.executor import Executor
from proving_ground.lifecycle.lifecycle import Lifecycle


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
