"""What builders ask of the programs that they stand on, and what they make of the result; the programs are fakes."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from proving_ground.core.errors import PreflightError
from proving_ground.depot import box, debian, go, oci, pip
from proving_ground.depot.job import Job, Processes
from proving_ground.depot.recipe import Component
from proving_ground.depot.store import Entry


@dataclass
class Programs(Processes):
    """Notes what is run, and leaves what it would leave."""

    leaves: Mapping[str, bytes] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)

    def run(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdout: int, stderr: int) -> int:
        assert (cwd.is_dir(), stdout > 0, stderr > 0, bool(env)) == (True, True, True, True)
        self.ran.append(list(command))
        for path, content in self.leaves.items():
            file = Path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return 0


def make_job(tmp_path: Path, settings: dict[str, Any], programs: Programs, **inputs: Entry) -> Job:
    (tmp_path / "out").mkdir()
    component = Component("thing", "any", settings | {"output": "thing.tar"})
    return Job(component, tmp_path, tmp_path / "out", tmp_path / "log", inputs, programs)


def tar_of(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as content:
        return {member.name.removeprefix("./") for member in content if member.isfile()}


def test_wheels_are_taken_as_pinned_with_hashes_and_without_traces_of_the_installer(tmp_path: Path) -> None:
    packages = tmp_path / "out" / "packages"
    programs = Programs(
        {
            str(packages / "redis" / "client.py"): b"",
            str(packages / "redis-1.dist-info" / "METADATA"): b"",
            str(packages / "redis-1.dist-info" / "RECORD"): b"",
            str(packages / "redis" / "__pycache__" / "client.pyc"): b"",
            str(packages / "bin" / "redis"): b"#!/home/somebody/python",
            str(packages / ".lock"): b"",
        }
    )
    job = make_job(tmp_path, {"python": "3.11", "requirements": "wheels.lock"}, programs)
    assert pip.build(job) == {}
    (command,) = programs.ran
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", "--python-version=3.11"} <= set(command)
    assert command[-1] == str(tmp_path / "wheels.lock")
    assert names(tmp_path / "out" / "thing.tar") == {"redis/client.py", "redis-1.dist-info/METADATA"}
    assert not packages.exists()


@pytest.mark.parametrize("variant", ["apt", "extract"])
def test_a_root_file_system_is_made_of_the_packages_named_and_tells_their_versions(
    tmp_path: Path, variant: str
) -> None:
    (tmp_path / "tidy.sh").write_text("rm -rf /usr/lib/apt\n", encoding="utf-8")
    programs = Programs({str(tmp_path / "out" / "packages"): b"bash_5.2.deb\nnot-one\nlibc6_2.36.deb\n"})
    settings = {"variant": variant, "packages": ["bash", "libc6"], "version": "bookworm", "scripts": ["tidy.sh"]}
    assert debian.build(make_job(tmp_path, settings, programs)) == {"packages": ["bash_5.2.deb", "libc6_2.36.deb"]}
    (command,) = programs.ran
    assert command[0] == "mmdebstrap"
    assert {"--include=bash,libc6", f"--variant={variant}", "--format=tar"} <= set(command)
    assert any("rm -rf /usr/lib/apt" in word for word in command), "scripts are run inside"
    assert command[-1] == "-", "the result comes through standard output"


@pytest.mark.parametrize(("module", "program"), [(debian, "mmdebstrap"), (box, "mke2fs")])
def test_a_missing_program_is_named_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, module: Any, program: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(PreflightError, match=f"{program} is not installed"):
        module.preflight()


@pytest.mark.parametrize(("user", "wanted"), [(0, False), (1000, True)])
def test_only_who_is_not_root_needs_to_pass_for_it(monkeypatch: pytest.MonkeyPatch, user: int, wanted: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == "fakeroot" else f"/usr/bin/{name}")
    with pytest.raises(PreflightError, match="fakeroot is not installed") if wanted else nullcontext():
        box.preflight()


def test_a_box_holds_a_disk_with_its_description_and_kernel_and_first_file_system_lie_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {}
    for name, files in {"node": {"etc": b""}, "kernel": {"vmlinuz": b"kernel", "initrd": b"first"}}.items():
        (tmp_path / name).mkdir()
        file = tar_of(tmp_path / name / "all.tar", **files)
        inputs[name] = Entry(tmp_path / name, {file.name: {"size": file.stat().st_size}})
    out = tmp_path / "out"
    made = {"disk.raw": b"raw", "box.img": b"disk", "vmlinuz": b"kernel", "initrd": b"first"}
    programs = Programs({str(out / name): content for name, content in made.items()})
    parts = {"rootfs": "node/all.tar", "kernel": "kernel/all.tar"}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert box.build(make_job(tmp_path, {"parts": parts}, programs, **inputs)) == {}
    assert [command[0] for command in programs.ran] == ["fakeroot", "qemu-img"], "owners are kept without being root"
    assert {path.name for path in out.iterdir()} == {"machine.box", "vmlinuz", "initrd"}
    # By tar itself: Debian 12's own Python (3.11.2) cannot yet be asked to be careful with an archive.
    assert f"tar -xf {tmp_path / 'kernel' / 'all.tar'} -C {out} vmlinuz initrd" in programs.ran[0][-1].splitlines()
    with tarfile.open(out / "machine.box") as archive:
        content = archive.extractfile("metadata.json")
        assert content is not None
        assert json.load(content) == {"provider": "libvirt", "format": "qcow2", "virtual_size": box.DISK_GIB}
        assert set(archive.getnames()) == {"metadata.json", "Vagrantfile", "box.img"}


def test_programs_and_compiled_tests_of_a_go_module_are_built_with_the_same_pins_and_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go, "find", lambda: "go")
    programs = Programs()
    settings = {
        "programs": {"tool": "example.org/tool"},
        "tests": {"e2e.test": "example.org/e2e"},
        "variables": {"example.org/version": "v1"},
    }
    assert go.build(make_job(tmp_path, settings, programs)) == {}
    program, tests = programs.ran
    assert (program[:2], program[-1]) == (["go", "build"], "example.org/tool")
    assert (tests[:3], tests[-1]) == (["go", "test", "-c"], "example.org/e2e")
    assert tests[-2] == str(tmp_path / "out" / "e2e.test")
    for command in programs.ran:
        assert {"-trimpath", "-buildvcs=false", "-ldflags=-s -w -X=example.org/version=v1"} <= set(command)


def test_an_image_has_an_entry_point_and_the_arguments_that_a_pod_may_replace(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "tool").write_bytes(b"binary")
    inputs = {"tool": Entry(tmp_path / "tool", {"tool": {"size": 6}})}
    settings = {
        "image": "tool",
        "layers": [{"files": {"/tool": "tool/tool"}}],
        "entrypoint": ["/tool"],
        "command": ["pause"],
    }
    oci.build(make_job(tmp_path, settings, Programs(), **inputs))
    with tarfile.open(tmp_path / "out" / "image.tar") as archive:
        blobs = [archive.extractfile(member) for member in archive.getmembers() if member.name.startswith("blobs/")]
        texts = [blob.read() for blob in blobs if blob is not None]
    (config,) = (json.loads(text)["config"] for text in texts if b"rootfs" in text and text.startswith(b"{"))
    assert (config["Entrypoint"], config["Cmd"]) == (["/tool"], ["pause"])
