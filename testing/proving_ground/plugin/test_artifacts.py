"""The folders of runs: how many stay, and that none goes whose run has not ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proving_ground.core.settings import Settings
from proving_ground.plugin.artifacts import KEPT_RUNS, collect
from proving_ground.plugin.under_fault import UNDER_FAULT


def settings(root: Path, run: str, ended: float) -> Settings:
    """Settings of a run whose folder was last written to at ``ended``."""
    made = Settings(root, run)
    made.state_directory.mkdir(parents=True, exist_ok=True)
    made.artifacts.mkdir(parents=True)
    os.utime(made.artifacts, (ended, ended))
    return made


@pytest.fixture
def first(tmp_path: Path) -> Settings:
    """The settings of the oldest of more runs than stay."""
    oldest = settings(tmp_path, "20261130T000000-1", 1000)
    for number in range(KEPT_RUNS + 4):
        settings(tmp_path, f"20261130T0001{number:02}-1", 1001 + number)
    return oldest


def test_only_the_newest_runs_stay(first: Settings) -> None:
    newest = settings(first.root, "20261130T000200-1", 2000)
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
    collect(settings(first.root, "20261130T000200-1", 2000))
    assert first.artifacts.exists()


def test_a_run_that_began_before_others_and_ended_after_them_stays(first: Settings) -> None:
    os.utime(first.artifacts, (1500, 1500))
    collect(settings(first.root, "20261130T000200-1", 2000))
    assert first.artifacts.exists()
