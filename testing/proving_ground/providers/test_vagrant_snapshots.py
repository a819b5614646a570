"""Machines that Vagrant alone can save: shut down, saved, up again; and what comes back, comes back in place."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.machines import vagrant, vagrant_client
from proving_ground.providers import libvirt_resources, libvirt_storage
from proving_ground.providers import vagrant as vagrant_provider
from proving_ground.providers.libvirt import Libvirt
from proving_ground.providers.vagrant import VagrantProvider

ANY = cast("Any", None)
MACHINES = {"etcd-01": "running", "worker-01": "running", "worker-02": "not_created"}


class Client:
    """Vagrant's command line, as far as it is asked; ``fails`` names the word that does."""

    calls: list[list[str]]
    fails = ""

    def command(self, words: list[str | None]) -> str:
        said = [word for word in words if word]
        self.calls.append(said)
        if self.fails and self.fails in said:
            raise MachineError(f"{self.fails} failed", where="vagrant")
        return "==> etcd-01:\nkey\nother\n" if said == ["snapshot", "list", "etcd-01"] else "==> worker-01:\nother\n"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    one = Client()
    one.calls = []
    states = [SimpleNamespace(name=name, state=state) for name, state in MACHINES.items()]
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(vagrant_client.Client, "_call_vagrant_command", one.command)
    monkeypatch.setattr(vagrant_client.Client, "_run_vagrant_command", one.command)
    monkeypatch.setattr(vagrant_client.Client, "status", lambda _: states)
    monkeypatch.setattr(vagrant.Vagrant, "up", lambda _: one.calls.append(["up"]))
    monkeypatch.setattr(vagrant_provider, "write_ssh_config", lambda *_: one.calls.append(["ssh.config"]))
    return one


def provider(tmp_path: Path) -> VagrantProvider:
    return VagrantProvider(Settings(tmp_path, "run", provider="virtualbox"))


def test_machines_are_shut_down_to_be_saved_and_are_up_afterwards(tmp_path: Path, client: Client) -> None:
    provider(tmp_path).save("key", ANY, ANY, Progress(), tmp_path)
    assert client.calls == [["halt"], ["snapshot", "save", "key"], ["up"], ["ssh.config"]]


def test_machines_that_could_not_be_saved_run_on(tmp_path: Path, client: Client) -> None:
    client.fails = "save"
    with pytest.raises(MachineError, match="save failed"):
        provider(tmp_path).save("key", ANY, ANY, Progress(), tmp_path)
    assert client.calls[-1] == ["up"]


def test_what_machines_did_since_is_not_waited_for_when_they_go_back(tmp_path: Path, client: Client) -> None:
    assert provider(tmp_path).restore("key", ANY, ANY, Progress(), tmp_path) == {}
    restore = ["snapshot", "restore", "--no-start", "--no-provision", "key"]
    assert client.calls == [["halt", "--force"], restore, ["up"]]


def test_virtual_machines_of_libvirt_are_not_asked_before_they_go_back(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plugin takes ``halt --force`` for a request to the machine, and fails when that is not heard."""
    running = ["proving-ground-0a-one", "proving-ground-0a-two", "proving-ground-0b-three", "mine"]
    monkeypatch.setattr(libvirt_resources, "lines", lambda *_: running)
    monkeypatch.setattr(libvirt_resources, "virsh", lambda *words, **_: client.calls.append(list(words)))
    monkeypatch.setattr(Settings, "checkout_id", "0a")
    Libvirt(Settings(tmp_path, "run", provider="libvirt")).restore("key", ANY, ANY, Progress(), tmp_path)
    off = [["destroy", "proving-ground-0a-one"], ["destroy", "proving-ground-0a-two"]]
    assert client.calls == [*off, ["snapshot", "restore", "--no-start", "--no-provision", "key"], ["up"]]


def test_a_snapshot_is_removed_from_the_machines_that_have_it(tmp_path: Path, client: Client) -> None:
    provider(tmp_path).forget("key", tmp_path)
    assert [call for call in client.calls if call[1] == "delete"] == [["snapshot", "delete", "etcd-01", "key"]]
    assert ["snapshot", "list", "worker-02"] not in client.calls, "a machine that is not there is asked"


def test_disks_are_measured_by_what_they_take_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"a-one.img": ["Type: file", "Capacity: 900", "Allocation: 30"], "a-two.img": ["Allocation: 12"]}
    monkeypatch.setattr(libvirt_storage, "virsh", lambda *_, **__: "")
    monkeypatch.setattr(libvirt_storage, "volumes", lambda _: [*told, "b-other.img"])
    monkeypatch.setattr(libvirt_storage, "lines", lambda *words, **_: told[words[1]])
    assert libvirt_storage.allocated("a-") == 42
