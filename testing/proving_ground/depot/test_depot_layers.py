"""Layers of pod images are unpacked once, whole, and only where the result is the same for every user."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.depot import care, layers, oci
from proving_ground.depot.depot import Depot


def keep(_: tarfile.TarInfo) -> None:
    """Change nothing."""


def layer(path: Path, *members: tuple[str, Callable[[tarfile.TarInfo], None]]) -> Path:
    """Write a layer with one file and these members, each changed by its function."""
    with tarfile.open(path, "w") as archive:
        for name, change in (("file", keep), *members):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(name), 0o644
            change(info)
            archive.addfile(info, io.BytesIO(name.encode()))
    return path


def image(tmp_path: Path, *content: Path) -> Path:
    """Write an image of these layers."""
    path = tmp_path / f"image-of-{len(content)}.tar"
    oci.archive("example", list(content), {}, path)
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_layers_of_an_image_are_unpacked_with_their_modes(tmp_path: Path) -> None:
    def program(info: tarfile.TarInfo) -> None:
        info.mode = 0o755

    one, two = layer(tmp_path / "one.tar"), layer(tmp_path / "two.tar", ("program", program))
    pool = tmp_path / "pool"
    assert list(layers.unpack([image(tmp_path, one, two)], pool)) == [digest(one), digest(two)]
    files = pool / digest(two) / "files"
    assert (files / "program").read_text(encoding="utf-8") == "program"
    assert (files / "program").stat().st_mode & 0o7777 == 0o755
    assert (files / "file").stat().st_mode & 0o7777 == 0o644
    assert layers.are_unpacked(pool, [digest(one), digest(two)])


def test_a_layer_of_two_images_is_unpacked_once(tmp_path: Path) -> None:
    one, two = layer(tmp_path / "one.tar"), layer(tmp_path / "two.tar", ("more", keep))
    images, pool = [image(tmp_path, one), image(tmp_path, one, two)], tmp_path / "pool"
    assert sorted(layers.unpack(images, pool)) == sorted([digest(one), digest(two)])
    before = (pool / digest(one) / "files").stat().st_ino
    assert sorted(layers.unpack(images, pool)) == sorted([digest(one), digest(two)])
    assert (pool / digest(one) / "files").stat().st_ino == before


@pytest.mark.parametrize(
    "what",
    ["another owner", "a set-user-ID bit", "a capability", "a file taken away", "a directory emptied", "a device"],
)
def test_a_layer_that_only_root_can_unpack_is_left_to_the_nodes(tmp_path: Path, what: str) -> None:
    def change(info: tarfile.TarInfo) -> None:
        match what:
            case "another owner":
                info.uid = 999
            case "a set-user-ID bit":
                info.mode = 0o4755
            case "a capability":
                info.pax_headers = {"SCHILY.xattr.security.capability": "cap_net_raw"}
            case "a file taken away":  # as OCI says it of a lower layer's file; overlayfs wants a device
                info.name = "directory/.wh.file"
            case "a directory emptied":
                info.name = "directory/.wh..wh..opq"
            case _:
                info.type, info.size = tarfile.CHRTYPE, 0

    special, pool = layer(tmp_path / "special.tar", ("special", change)), tmp_path / "pool"
    assert list(layers.unpack([image(tmp_path, special)], pool)) == []
    assert not layers.are_unpacked(pool, [digest(special)])


def test_an_interrupted_unpacking_is_done_again(tmp_path: Path) -> None:
    one, pool = layer(tmp_path / "one.tar"), tmp_path / "pool"
    half = pool / f".{digest(one)}" / "files"
    half.mkdir(parents=True)
    (half / "of another attempt").touch()
    assert list(layers.unpack([image(tmp_path, one)], pool)) == [digest(one)]
    assert [path.name for path in (pool / digest(one) / "files").iterdir()] == ["file"]


@pytest.mark.usefixtures("compile_tool")
def test_a_view_has_its_layers_beside_it_and_gets_them_again(checkout: Path, tmp_path: Path) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    view = depot.ensure()
    assert view.layers is not None
    (unpacked,) = view.layers
    program = view.path.parent / "layers" / unpacked / "files" / "bin" / "tool"
    assert program.read_text(encoding="utf-8") == "package main"
    program.unlink()
    program.parent.parent.rename(tmp_path / "gone")
    assert depot.ensure() == view
    assert program.read_text(encoding="utf-8") == "package main"


@pytest.mark.usefixtures("compile_tool")
def test_prune_removes_layers_that_no_view_has_used_lately(checkout: Path, tmp_path: Path) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    view = depot.ensure()
    old = view.path.parent / "layers" / "old"
    (old / "files").mkdir(parents=True)
    os.utime(old, (1, 1))
    os.utime(old.parent, (1, 1))
    assert view.layers is not None
    (used,) = view.layers
    os.utime(old.parent / used, (1, 1))
    depot.ensure()
    assert care.prune(depot, days=30) == [old]


@pytest.mark.usefixtures("compile_tool")
@pytest.mark.parametrize("damage", ["another content", "a missing file", "a link in its place"])
def test_damaged_layers_are_found_and_unpacked_again(checkout: Path, tmp_path: Path, damage: str) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    view = depot.ensure()
    assert care.check(depot) == []
    assert view.layers is not None
    (unpacked,) = view.layers
    program = view.path.parent / "layers" / unpacked / "files" / "bin" / "tool"
    program.unlink()
    if damage == "another content":
        program.write_text("package moon", encoding="utf-8")
    elif damage == "a link in its place":
        program.symlink_to("/bin/true")
    (finding,) = care.check(depot)
    assert f"layers/{unpacked} is not what was unpacked" in finding
    assert "proving-ground depot repair" in finding
    assert care.repair(depot) == [f"layer {unpacked[:12]}"]
    assert depot.ensure() == view
    assert program.read_text(encoding="utf-8") == "package main"
    assert care.check(depot) == []
