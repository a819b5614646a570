"""The ledger knows of machines before they are there, and until they are gone; what runs them is started for that."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import cast

import pytest

from proving_ground.ansible.variable_links import ensure_variable_links
from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import parse
from proving_ground.depot import View
from proving_ground.lifecycle import machines
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.machines.vagrant import Vagrant
from proving_ground.process.reaper import RUN, mark_of_run
from proving_ground.providers import registry
from proving_ground.providers import vagrant as provider_module
from proving_ground.providers.vagrant import VagrantProvider


class Recorded(VagrantProvider):
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
    monkeypatch.setattr(registry, "PROVIDERS", {"docker": Recorded, "virtualbox": Recorded})
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


def test_programs_of_the_checkouts_runs_end_with_its_machines(tmp_path: Path, provider: type[Recorded]) -> None:
    settings = noted(tmp_path)
    left = [
        subprocess.Popen(["sleep", "300"], env={"PATH": "/usr/bin:/bin", RUN: mark_of_run(checkout, "earlier")})
        for checkout in (settings.checkout_id, "another")
    ]
    try:
        machines.destroy(settings, Progress())
        assert left[0].wait(timeout=10) != 0
        assert left[1].poll() is None, "another checkout's program has been ended"
    finally:
        for process in left:
            process.kill()
            process.wait()
    assert provider.calls


@pytest.mark.parametrize("fails", [False, True])
def test_machines_are_on_disk_before_vagrant_is_asked_for_them(
    tmp_path: Path, provider: type[Recorded], monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    settings = Settings(tmp_path, "run-1")
    ledger = Ledger(settings.state_directory)
    seen: list[Record | None] = []

    def prepare(*_: object) -> dict[str, object]:
        seen.append(ledger.read())
        return {}

    class Vagrant:
        log = tmp_path / "vagrant.log"

        def __init__(self, *_: object) -> None: ...

        def write_run(self, content: dict[str, object]) -> None:
            assert content["run_id"] == "run-1", "machines carry it"
            assert content["machines"] == [{"name": "web-01", "address": "10.0.0.11", "memory": 1024, "cpus": 1}]

        def up(self) -> None:
            seen.append(ledger.read())
            if fails:
                raise MachineError("no space left on device")

    monkeypatch.setattr(provider_module, "Vagrant", Vagrant)
    for name in ("write_ssh_config", "await_logins"):
        monkeypatch.setattr(provider_module, name, lambda *_: None)
    monkeypatch.setattr(provider, "prepare", prepare)
    try:
        machines.create(settings, parse("own", {"machines": {"web": {}}}), None, cast("View", None), Progress())
    except MachineError:
        assert fails
    assert [record.phase if record else "" for record in seen] == ["creating", "creating"]
    after = ledger.read()
    assert after is not None
    assert after.phase == ("creating" if fails else "created")


def test_a_ledger_that_cannot_be_read_keeps_nothing_from_being_removed(
    tmp_path: Path,
    provider: type[Recorded],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Vagrant knows of is started, so that nothing looks gone that is not, and everything of the project goes."""
    settings = Settings(tmp_path, "run-1", provider="docker")
    ledger = Ledger(settings.state_directory)
    ledger.path.parent.mkdir()
    ledger.path.write_text("{", encoding="utf-8")
    known = tmp_path / ".vagrant" / "machines" / "etcd-01" / "virtualbox" / "id"
    known.parent.mkdir(parents=True)
    known.write_text("4a7c", encoding="utf-8")
    monkeypatch.setattr(Vagrant, "__init__", lambda *_: None)
    monkeypatch.setattr(Vagrant, "destroy", lambda _: provider.calls.append("forgotten"))
    assert machines.destroy(settings, Progress())
    assert provider.calls == ["started", *["removed"] * 2, "forgotten", *["removed"] * 2]  # of every provider
    assert not ledger.path.exists()
    assert f"{ledger.path}: the ledger of machines cannot be read" in capsys.readouterr().err


def test_vagrants_records_of_containers_go_without_vagrant(
    tmp_path: Path, provider: type[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vagrant takes seconds to find that they are gone."""
    settings = noted(tmp_path)
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "home"))
    known = tmp_path / ".vagrant" / "machines" / "etcd-01" / "docker" / "id"
    known.parent.mkdir(parents=True)
    known.write_text("4a7c", encoding="utf-8")
    monkeypatch.setattr(Vagrant, "__init__", lambda *_: pytest.fail("Vagrant was called"))
    assert machines.destroy(settings, Progress())
    assert provider.calls == ["started", "removed", "removed"]
    assert not known.exists()


def test_a_ledger_that_cannot_be_read_goes_even_where_nothing_else_is_left(
    tmp_path: Path, provider: type[Recorded]
) -> None:
    settings = Settings(tmp_path, "run-1")
    ledger = Ledger(settings.state_directory)
    ledger.path.parent.mkdir()
    ledger.path.write_text("", encoding="utf-8")
    assert machines.destroy(settings, Progress())
    assert "removed" in provider.calls
    assert ledger.read() is None


@pytest.mark.usefixtures("provider")
def test_links_to_the_projects_variables_go_with_the_machines_and_the_variables_stay(tmp_path: Path) -> None:
    settings = noted(tmp_path)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "web-01.yml").write_text("port: 80", encoding="utf-8")
    ensure_variable_links(settings)
    link = settings.state_directory / "host_vars"
    assert link.is_symlink()
    machines.destroy(settings, Progress())
    assert not link.is_symlink()
    assert (tmp_path / "host_vars" / "web-01.yml").is_file()
