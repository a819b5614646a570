"""What is saved is whole or is not there; it is found by its content, and goes with what keeps it."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from proving_ground.checkpoints.store import Checkpoint, Checkpoints, copy, listing
from proving_ground.core.errors import MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.providers import registry

NOTHING = cast("Any", None)
"""The topology and the view, which a provider is handed as they are."""


class Provider:
    """Keeps keys; its disks hold ``size`` bytes, and saving fails where that is negative."""

    in_place = False
    size = 5

    def __init__(self) -> None:
        self.kept: list[str] = []

    def ensure_running(self, _: Progress) -> None:
        """It always is."""

    def save(self, key: str, *_: object) -> int:
        self.kept.append(key)
        if self.size < 0:
            raise MachineError("no space left on device", where="docker")
        return self.size

    def forget(self, key: str, _: Path) -> None:
        self.kept.remove(key)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    one = Provider()
    monkeypatch.setattr(registry, "of", lambda _: one)
    return one


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    settings = Settings(tmp_path, "run")
    settings.state_directory.mkdir(parents=True)
    return Checkpoints(settings, Progress(io.StringIO()))


def put(store: Checkpoints, key: str, **values: Any) -> Checkpoint:
    """Lay a checkpoint down as an earlier run would have."""
    checkpoint = Checkpoint(**{"key": key, "phase": "etcd", "topology": "default", "provider": "docker"} | values)
    directory = store.directory / key
    directory.mkdir(parents=True)
    (directory / "checkpoint.json").write_text(json.dumps(asdict(checkpoint)), encoding="utf-8")
    return checkpoint


def test_what_is_saved_is_found_by_its_content(store: Checkpoints, provider: Provider) -> None:
    saved = store.save("one", "etcd", NOTHING, NOTHING)
    assert (saved.complete, saved.size) == (True, 5)
    assert store.get("one") == saved
    assert store.get("another") is None
    assert store.save("one", "etcd", NOTHING, NOTHING) == saved
    assert provider.kept == ["one"], "the same content is not saved twice"


def test_what_was_broken_off_is_never_brought_back_and_makes_room_for_the_next(
    store: Checkpoints, provider: Provider
) -> None:
    provider.size = -1
    with pytest.raises(MachineError, match="no space left"):
        store.save("one", "etcd", NOTHING, NOTHING)
    assert [each.complete for each in store] == [False], "it is on disk before anything is saved"
    assert store.get("one") is None
    provider.size = 5
    store.save("two", "etcd", NOTHING, NOTHING)
    assert provider.kept == ["two"]


@pytest.mark.usefixtures("provider")
def test_what_a_converge_made_comes_back_and_what_is_the_runs_own_does_not(store: Checkpoints) -> None:
    state = store.directory.parent
    for name in ("kubeconfig", "ssh.config", "ledger.json"):
        (state / name).write_text("then", encoding="utf-8")
    saved = store.save("one", "etcd", NOTHING, NOTHING)
    for name in ("kubeconfig", "ssh.config", "ledger.json"):
        (state / name).write_text("now", encoding="utf-8")
    store.restore_files(saved)
    found = {name: (state / name).read_text(encoding="utf-8") for name in ("kubeconfig", "ssh.config", "ledger.json")}
    assert found == {"kubeconfig": "then", "ssh.config": "now", "ledger.json": "now"}


def test_a_disk_that_holds_all_earlier_ones_is_counted_once(store: Checkpoints, provider: Provider) -> None:
    put(store, "before", size=30, complete=True)
    put(store, "elsewhere", provider="libvirt", size=1000, complete=True)
    provider.in_place = True
    provider.size = 100
    assert store.save("one", "etcd", NOTHING, NOTHING).size == 70


def test_what_has_gone_with_its_machines_is_dropped_and_the_rest_stays(store: Checkpoints) -> None:
    put(store, "container")
    put(store, "virtual", provider="libvirt")
    store.drop(["libvirt"])
    assert [each.key for each in store] == ["container"]


def test_they_are_told_oldest_first_with_their_sum(store: Checkpoints) -> None:
    put(store, "later", saved="2026-02-01T00:00", size=4_000_000, complete=True)
    put(store, "sooner", saved="2026-01-01T00:00", size=3_000_000)
    first, second, total = listing(store)
    assert "sooner" in first
    assert first.endswith("broken off")
    assert second.endswith("later")
    assert total == "7 MB in all"


@pytest.mark.parametrize("link", ["roles/web", "collections/ansible_collections/acme/web"])
def test_links_to_the_project_are_not_followed_into_a_copy_of_itself(tmp_path: Path, link: str) -> None:
    state = tmp_path / "web" / ".proving-ground"
    (state / link).parent.mkdir(parents=True)
    (state / link).symlink_to(tmp_path / "web")
    (state / "kubeconfig").write_text("for the machines", encoding="utf-8")
    saved = tmp_path / "checkpoint"
    copy(state, saved)
    assert [each.name for each in saved.iterdir()] == ["kubeconfig"], "every run makes its links anew"
    copy(saved, state)
    assert (state / link).readlink() == tmp_path / "web", "and restoring leaves them"
