"""The folders of runs: how many stay, and that none goes whose run has not ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.settings import Settings
from proving_ground.plugin.artifacts import KEPT_RUNS, collect
from proving_ground.plugin.under_fault import UNDER_FAULT


def settings(root: Path, run: str) -> Settings:
    made = Settings(root, run)
    made.state_directory.mkdir(parents=True, exist_ok=True)
    made.artifacts.mkdir(parents=True)
    return made


@pytest.fixture
def first(tmp_path: Path) -> Settings:
    """The settings of the oldest of more runs than stay."""
    oldest = settings(tmp_path, "20261130T000000-1")
    for number in range(KEPT_RUNS + 4):
        settings(tmp_path, f"20261130T0001{number:02}-1")
    return oldest


def test_only_the_newest_runs_stay(first: Settings) -> None:
    newest = settings(first.root, "20261130T000200-1")
    collect(newest)
    kept = sorted(path.name for path in first.artifacts.parent.iterdir() if not path.is_symlink())
    assert len(kept) == KEPT_RUNS
    assert kept[-1] == newest.artifacts.name
    assert not first.artifacts.exists()


def test_a_run_that_is_older_than_others_keeps_its_own_folder(first: Settings) -> None:
    collect(first)
    assert first.artifacts.exists()
    assert len([path for path in first.artifacts.parent.iterdir() if not path.is_symlink()]) == KEPT_RUNS


def test_a_run_under_a_fault_removes_nothing(first: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNDER_FAULT, "15")
    collect(settings(first.root, "20261130T000200-1"))
    assert first.artifacts.exists()
