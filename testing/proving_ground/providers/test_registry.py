"""Virtual machines are told who they are; networks and names of one checkout are its own."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.settings import PROVIDERS, Settings
from proving_ground.core.topology import load
from proving_ground.depot import Depot
from proving_ground.providers import libvirt, libvirt_daemon, libvirt_resources, registry

ROOT = Path(__file__).parents[3]
NODE = load(ROOT / "topology", "single", "10.7.0").nodes[0]
PROJECT = Project(user="core")
KEY = "ssh-ed25519 AAAAC3Nz+/= proving-ground run-1\n"


def test_every_provider_that_can_be_asked_for_is_known() -> None:
    assert set(registry.PROVIDERS) == set(PROVIDERS)


def test_a_kernels_command_line_says_who_the_machine_is() -> None:
    words = dict(
        word.split("=", 1)
        for word in libvirt.command_line(NODE, IPv4Network("192.168.140.0/24"), KEY, kvm=True).split()
        if "=" in word
    )
    assert words["proving-ground.name"] == words["systemd.hostname"] == "kube-single-01"
    assert words["proving-ground.address"] == "10.7.0.101/24"
    assert words["proving-ground.nameserver"] == "192.168.140.1"
    assert base64.b64decode(words["proving-ground.key"]).decode() == KEY


def test_an_emulated_machine_reads_the_clock_without_leaving_the_machine() -> None:
    line = libvirt.command_line(NODE, IPv4Network("192.168.140.0/24"), KEY, kvm=False)
    assert {"clocksource=tsc", "tsc=reliable"} <= set(line.split())
    assert "tsc" not in libvirt.command_line(NODE, IPv4Network("192.168.140.0/24"), KEY, kvm=True)


def test_ignition_says_the_same_to_flatcar_in_qemus_words() -> None:
    text = libvirt.ignition(NODE, KEY, PROJECT)
    assert text.count(",,") * 2 == text.count(",")
    content = json.loads(text.replace(",,", ","))
    assert content["passwd"]["users"] == [{"name": "core", "sshAuthorizedKeys": [KEY.strip()]}]
    files = {
        file["path"]: base64.b64decode(file["contents"]["source"].partition("base64,")[2]).decode()
        for file in content["storage"]["files"]
    }
    assert files["/etc/hostname"] == "kube-single-01\n"
    assert "Address=10.7.0.101/24\n" in files["/etc/systemd/network/20-machines.network"]


def test_flatcar_does_not_update_and_start_anew_while_it_is_tested() -> None:
    units = json.loads(libvirt.ignition(NODE, KEY, PROJECT).replace(",,", ","))["systemd"]["units"]
    assert {unit["name"] for unit in units if unit["mask"]} == {"update-engine.service", "locksmithd.service"}


def test_management_networks_of_two_checkouts_differ_and_avoid_what_is_taken() -> None:
    first, second = (libvirt_resources.free_network([], checkout) for checkout in ("00000001", "00000002"))
    assert not first.overlaps(second)
    assert not libvirt_resources.free_network([first], "00000001").overlaps(first)


def test_no_free_management_network_is_told() -> None:
    with pytest.raises(PreflightError, match="no network between"):
        libvirt_resources.free_network([IPv4Network("192.168.0.0/16")], "00000001")


def test_names_of_one_checkout_never_begin_those_of_another() -> None:
    one, other = Settings(Path("/a"), "run").checkout_id, Settings(Path("/b"), "run").checkout_id
    assert not libvirt_daemon.prefix(one).startswith(libvirt_daemon.prefix(other))


def test_what_one_provider_needs_is_no_part_of_what_every_node_gets(tmp_path: Path) -> None:
    depot = Depot(ROOT / "depot", tmp_path, "1.37")
    assert "machine" in depot.recipe
    assert not {"machine", "kernel"} & set(depot.plan().recipe)
    assert set(depot.plan(["machine"]).recipe) == {"node", "kernel", "machine"}


@pytest.mark.parametrize("program", libvirt_daemon.PROGRAMS)
def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    def find(name: str, path: str | None = None) -> str | None:
        return None if name == program else f"{path or '/bin'}/{name}"

    monkeypatch.setattr(shutil, "which", find)
    with pytest.raises(PreflightError, match=rf"{program} is not installed — run `scripts/setup libvirt`"):
        libvirt_daemon.ensure_running(Progress())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Failed to connect socket: Permission denied", "may not be used by this user — add the user to the group"),
        ("authentication unavailable: no polkit agent", "may not be used by this user — add the user to the group"),
        ("Failed to connect socket: No such file or directory", "libvirt is not running — "),
    ],
)
def test_a_libvirt_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch, words: str, told: str) -> None:
    answer = subprocess.CompletedProcess([], 1, "", words)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PreflightError, match=told):
        libvirt_daemon.ensure_running(Progress())


def test_a_device_that_libvirt_cannot_use_is_no_kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise MachineError("KVM is not supported")

    monkeypatch.setattr(libvirt_daemon, "virsh", refuse)
    assert not libvirt_daemon.kvm_works("/kernel", "00000001")
