"""Removal goes by the ledger: what runs machines is started for it if need be, or the ledger keeps what it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures import machines, providers
from fixtures.errors import PreflightError
from fixtures.ledger import Ledger, Record
from fixtures.progress import Progress
from fixtures.provider import Provider
from fixtures.settings import Settings


class Recorded(Provider):
    """Keeps what is asked of it."""

    calls: list[str]
    startable = True

    def ensure_running(self, progress: Progress) -> None:  # noqa: ARG002
        self.calls.append("started")
        if not self.startable:
            raise PreflightError("the Docker engine is not running")

    def remove_leftovers(self, log: Path | None = None) -> int:  # noqa: ARG002
        self.calls.append("removed")
        return 1


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> type[Recorded]:
    monkeypatch.setattr(Recorded, "calls", [], raising=False)
    monkeypatch.setattr(Recorded, "startable", True)
    monkeypatch.setattr(providers, "PROVIDERS", {"docker": Recorded})
    return Recorded


def noted(root: Path) -> Settings:
    settings = Settings(root, "run-1")
    Ledger(settings.state_directory).write(Record("run-1", "default", "docker"))
    return settings


def test_what_runs_the_machines_is_started_before_they_are_looked_for(tmp_path: Path, provider: type[Recorded]) -> None:
    settings = noted(tmp_path)
    assert machines.destroy(settings, Progress())
    assert provider.calls[:2] == ["started", "removed"]
    assert Ledger(settings.state_directory).read() is None


def test_what_cannot_be_looked_for_stays_in_the_ledger(tmp_path: Path, provider: type[Recorded]) -> None:
    settings = noted(tmp_path)
    provider.startable = False
    with pytest.raises(PreflightError, match="is not running"):
        machines.destroy(settings, Progress())
    assert provider.calls == ["started"]
    assert Ledger(settings.state_directory).read() is not None


def test_nothing_is_started_where_nothing_has_been_made(tmp_path: Path, provider: type[Recorded]) -> None:
    assert not machines.destroy(Settings(tmp_path, "run-1"), Progress())
    assert provider.calls == []
