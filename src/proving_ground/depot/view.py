"""Make the view: a tree of hard links to the files for nodes, with an index view.json; its name is a content hash.

The layers of its pod images lie unpacked beside all views, since views share most of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proving_ground.core.errors import DepotError
from proving_ground.depot import layers
from proving_ground.depot.recipe import Recipe
from proving_ground.depot.store import Entry

INDEX = "view.json"


@dataclass(frozen=True)
class View:
    """The depot's files for nodes.

    Attributes:
        path: its directory on the host; machines mount the parent directory.
        key: the directory's name, a hash of the content.
        images: pod image → reference.
        versions: component → version.
        node_rootfs: tar of a node's root file system (an empty path in a partial view without it).
        node_key: hash of that file's content.
        layers: digests of the images' layers that lie unpacked beside the views; None if it is not known yet.
    """

    path: Path
    key: str
    images: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    node_rootfs: Path = Path()
    node_key: str = ""
    layers: tuple[str, ...] | None = None


def read(path: Path) -> View:
    """Read the view at ``path`` from its index, without the node's root file system: for machines that are up.

    Raises:
        DepotError: the view does not exist any more.
    """
    try:
        index = json.loads((path / INDEX).read_text(encoding="utf-8"))
    except OSError as error:
        text = "the depot's view of these machines is gone"
        raise DepotError(
            text, where=str(path), hint="run `proving-ground depot fill`, then `proving-ground converge`"
        ) from error
    return View(path, index["key"], index["images"], index["versions"], layers=_layers(index))


def _layers(index: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the unpacked layers in an index; None for an index that was written before layers were unpacked."""
    return tuple(index["layers"]) if "layers" in index else None


def plan(recipe: Recipe, entries: Mapping[str, Entry]) -> tuple[View, dict[str, tuple[Path, int]], dict[str, str]]:
    """Return the view of these entries (without host path), its files (path → source, size), and its links.

    It skips components of ``recipe`` that have no entry yet.
    """
    files: dict[str, tuple[Path, int]] = {}
    links: dict[str, str] = {}
    images: dict[str, str] = {}
    versions: dict[str, str] = {}
    content: list[Any] = []
    for name, component in recipe.items():
        if name not in entries:
            continue
        entry = entries[name]
        for path, file in component.view.items():
            files[path] = (entry.file(file), entry.files[file]["size"])
            content.append([path, entry.files[file]["sha256"]])
        links |= component.links
        if component.image:
            images[component.image] = entry.facts["reference"]
        if component.version:
            versions[name] = component.version
    content += [sorted(links.items()), sorted(images.items()), sorted(versions.items())]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    rootfs, node_key = Path(), ""
    if "node" in entries:
        rootfs = entries["node"].file("rootfs.tar")
        node_key = entries["node"].files["rootfs.tar"]["sha256"][:16]
    return View(Path(), key, images, versions, rootfs, node_key), files, links


def whole(path: Path, pool: Path, files: Mapping[str, tuple[Path, int]], links: Mapping[str, str]) -> View | None:
    """Return the view at ``path``; None if a link to an entry's file, a symbolic link or an unpacked layer is missing.

    Args:
        path: its directory.
        pool: the directory of unpacked layers.
        files: path in the view → source and size.
        links: path in the view → destination.
    """
    try:
        found = read(path)
    except DepotError:
        return None
    if found.layers is None or not layers.are_unpacked(pool, found.layers):
        return None
    for name, (source, _) in files.items():
        try:
            if not os.path.samestat((path / name).stat(), source.stat()):
                return None
        except OSError:
            return None
    return found if all((path / name).is_symlink() for name in links) else None


def write(
    work: Path, directory: Path, pool: Path, view: View, files: Mapping[str, tuple[Path, int]], links: Mapping[str, str]
) -> None:
    """Create the view's directory in ``work`` and rename it into place; it replaces an incomplete one.

    Layers of its images are unpacked into ``pool`` first.
    """
    archives = [files[f"images/{image}.tar"][0] for image in sorted(view.images)]
    unpacked = sorted(layers.unpack(archives, pool))
    temporary = work / "new"
    temporary.mkdir(parents=True)
    for name, (source, _) in files.items():
        target = temporary / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(source)
    for name, destination in links.items():
        target = temporary / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(destination)
    index = {"key": view.key, "images": view.images, "versions": view.versions, "layers": unpacked}
    (temporary / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")
    directory.parent.mkdir(parents=True, exist_ok=True)
    if directory.exists():
        directory.rename(work / "old")
    temporary.rename(directory)
    shutil.rmtree(work)
