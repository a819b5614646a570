"""What is removed from libvirt: what has this checkout's name; boxes only where no machine stands on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.providers import libvirt_daemon, libvirt_resources, libvirt_storage
from proving_ground.providers.libvirt_daemon import prefix

OURS, OTHERS = "11111111", "22222222"


class Libvirt:
    """Keeps names: machines and networks with whether they run, disks."""

    def __init__(self) -> None:
        self.domains = {f"{prefix(OURS)}one": True, f"{prefix(OURS)}two": False, f"{prefix(OTHERS)}one": True}
        self.networks = {f"{prefix(OURS)}private": True, f"{prefix(OTHERS)}private": True, "default": False}
        self.disks = [f"{prefix(OURS)}one.img", f"{prefix(OTHERS)}one.img", f"{libvirt_storage.BOX}-1-box.img"]
        self.pools = {libvirt_storage.POOL: True}
        self.fails = ""

    def virsh(self, *words: str, **_: object) -> str:
        if words[0] == self.fails:
            raise MachineError("no space left on device", where="libvirt")
        everything = "--all" in words
        match words:
            case ("list", *_):
                return "\n".join(name for name, runs in self.domains.items() if runs or everything)
            case ("net-list", *_):
                return "\n".join(name for name, runs in self.networks.items() if runs or everything)
            case ("pool-list", *_):
                return "\n".join(name for name, runs in self.pools.items() if runs or everything)
            case ("vol-list", _):
                return "\n".join(f" {name}   /images/{name}" for name in self.disks)
            case ("vol-path", name, *_):
                return f"/images/{name}\n"
            case ("vol-info", *_):
                return "Name: x\nCapacity: 999 bytes\nAllocation: 4096 bytes\n"
            case ("destroy", name):
                self.domains[name] = False
            case ("undefine", name, *_):
                assert not self.domains.pop(name), "it runs"
            case ("net-destroy", name):
                self.networks[name] = False
            case ("net-undefine", name):
                assert not self.networks.pop(name), "it runs"
            case ("vol-create-as", _, name, *_):
                self.disks.append(name)
            case ("vol-delete", name, *_):
                self.disks.remove(name)
            case ("pool-define-as", name, *_):
                self.pools[name] = False
            case ("pool-start", name):
                self.pools[name] = True
            case ("pool-destroy", name):
                self.pools[name] = False
            case ("pool-undefine", name):
                assert not self.pools.pop(name), "it runs"
        return ""


@pytest.fixture
def libvirt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Libvirt:
    one = Libvirt()
    for module in (libvirt_daemon, libvirt_storage, libvirt_resources):
        monkeypatch.setattr(module, "virsh", one.virsh)
    for module in (libvirt_storage, libvirt_resources):
        monkeypatch.setattr(module, "refusal", lambda: None)
        monkeypatch.setattr(module, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant"))
    return one


def test_all_of_this_checkout_is_removed_and_nothing_of_others(libvirt: Libvirt) -> None:
    assert libvirt_resources.remove_leftovers(OURS) == 4
    assert set(libvirt.domains) == {f"{prefix(OTHERS)}one"}
    assert set(libvirt.networks) == {f"{prefix(OTHERS)}private", "default"}
    assert libvirt.disks == [f"{prefix(OTHERS)}one.img", f"{libvirt_storage.BOX}-1-box.img"]
    assert libvirt_resources.remove_leftovers(OURS) == 0


def test_machines_that_are_switched_off_keep_their_disks(libvirt: Libvirt) -> None:
    before = list(libvirt.disks)
    libvirt_resources.power_off(OURS)
    assert [name for name, runs in libvirt.domains.items() if runs] == [f"{prefix(OTHERS)}one"]
    assert libvirt.disks == before


def test_nothing_is_there_where_no_libvirt_answers(libvirt: Libvirt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt_resources, "refusal", lambda: "failed to connect")
    assert len(libvirt_resources.leftovers(OURS)) == 0
    assert libvirt_resources.remove_leftovers(OURS) == 0
    assert len(libvirt.domains) == 3


def test_boxes_stay_as_long_as_any_machine_stands_on_them(libvirt: Libvirt, tmp_path: Path) -> None:
    kept = tmp_path / "vagrant" / "boxes" / f"{libvirt_storage.BOX}-1"
    kept.mkdir(parents=True)
    libvirt_resources.remove_leftovers(OURS)
    assert libvirt_storage.remove_boxes() == 0
    assert kept.exists()
    libvirt_resources.remove_leftovers(OTHERS)
    assert libvirt_storage.remove_boxes() == 1
    assert libvirt.disks == []
    assert libvirt.pools == {}
    assert not kept.exists()


def test_the_image_of_a_box_of_somebody_else_is_no_machine(libvirt: Libvirt, tmp_path: Path) -> None:
    """Vagrant's plugin lays a copy of every box beside the machines; the box itself is its owner's."""
    libvirt.disks.append("flatcar_vagrant_box_image_0_1795546136_box.img")
    box = tmp_path / "vagrant" / "boxes" / "flatcar"
    box.mkdir(parents=True)
    libvirt_resources.remove_leftovers(OURS)
    assert libvirt_storage.remove_boxes() == 0, "another checkout's machine may stand on it"
    libvirt_resources.remove_leftovers(OTHERS)
    assert libvirt_storage.remove_boxes() == 2
    assert (libvirt.disks, libvirt.pools) == ([], {})
    assert box.exists()


def test_a_kernel_is_handed_over_once_and_not_by_halves(libvirt: Libvirt, tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(b"kernel")
    libvirt.fails = "vol-upload"
    with pytest.raises(MachineError):
        libvirt_storage.ensure_volume("kernel-1", kernel)
    assert "kernel-1" not in libvirt.disks
    libvirt.fails = ""
    assert libvirt_storage.ensure_volume("kernel-1", kernel) == "/images/kernel-1"
    assert libvirt_storage.ensure_volume("kernel-1", tmp_path / "gone") == "/images/kernel-1"
    assert libvirt.disks.count("kernel-1") == 1


def test_a_pool_is_made_where_there_is_none_and_started_where_it_stands(libvirt: Libvirt) -> None:
    libvirt.pools = {}
    assert libvirt_storage.volumes() == []
    libvirt_storage.ensure_pool()
    assert libvirt.pools == {libvirt_storage.POOL: True}
    libvirt.pools = {libvirt_storage.POOL: False}
    libvirt_storage.ensure_pool()
    assert libvirt.pools == {libvirt_storage.POOL: True}


def test_disks_are_measured_by_what_they_take(libvirt: Libvirt) -> None:
    assert libvirt.disks
    assert libvirt_storage.allocated(prefix(OURS)) == 4096
