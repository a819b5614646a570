"""Unpack the layers of pod images once for all machines: a node that links the trees needs no copies of its own."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

DIRECTORY = "layers"
"""Name of the trees' directory beside the views, so that machines that mount the views have it, too."""

FILES = "files"
"""Name of the directory of a layer's files below the layer's own. Only the latter's time changes when it is used."""

_WHITEOUT = "/.wh."


def unpack(archives: Iterable[Path], pool: Path) -> Iterator[str]:
    """Unpack the layers of OCI archives that ``pool`` lacks; yield the digests of all that it has then.

    It leaves out a layer with files that need root, whoever unpacks it: nodes import images with such a layer. The
    caller has to hold a lock.

    Args:
        archives: uncompressed OCI archives of one image each.
        pool: the directory for trees: ``<digest>/files``.
    """
    for image, digest in _each(archives):
        if _is_unpacked(pool, digest) or _unpack(image, digest, pool):
            yield digest


def are_unpacked(pool: Path, digests: Iterable[str]) -> bool:
    """Return whether ``pool`` has the trees of all these layers."""
    return all(_is_unpacked(pool, digest) for digest in digests)


def damaged(archives: Iterable[Path], pool: Path) -> Iterator[str]:
    """Yield the digests of layers in ``pool`` that lack a file of their archive or have another content.

    Args:
        archives: as of :func:`unpack`.
        pool: the directory of the trees.
    """
    for image, digest in _each(archives):
        if _is_unpacked(pool, digest) and not _is_as_built(image, digest, pool):
            yield digest


def _each(archives: Iterable[Path]) -> Iterator[tuple[tarfile.TarFile, str]]:
    """Yield each layer of the archives once: an open image that has it, and its digest."""
    seen: set[str] = set()
    for archive in archives:
        with tarfile.open(archive) as image:
            for digest in _digests(image):
                if digest not in seen:
                    seen.add(digest)
                    yield image, digest


def _is_as_built(image: tarfile.TarFile, digest: str, pool: Path) -> bool:
    """Return whether all files of an unpacked layer are what the image's says."""
    with tarfile.open(fileobj=image.extractfile(_blob(digest))) as layer:
        return all(_is_same(layer, member, pool / digest / FILES / member.name) for member in layer)


def _is_same(layer: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> bool:
    """Return whether a file is what a member of the layer says."""
    if member.issym():
        return path.is_symlink() and str(path.readlink()) == member.linkname
    if path.is_symlink() or member.isdir():
        return member.isdir() and path.is_dir() and not path.is_symlink()
    wanted = layer.extractfile(member)
    if wanted is None or not path.is_file():
        return False
    with path.open("rb") as found:
        return all(one == other for one, other in zip_longest(_pieces(wanted), _pieces(found)))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file, a mebibyte at a time."""
    return iter(lambda: file.read(2**20), b"")


def _is_unpacked(pool: Path, digest: str) -> bool:
    return (pool / digest / FILES).is_dir()


def _digests(image: tarfile.TarFile) -> list[str]:
    """Return the digests of an image's layers, lowest first."""
    index = _document(image, "index.json")
    manifest = _document(image, _blob(index["manifests"][0]["digest"]))
    return [layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]


def _unpack(image: tarfile.TarFile, digest: str, pool: Path) -> bool:
    """Unpack a layer, and rename its directory when it is complete; return False if it needs root."""
    with tarfile.open(fileobj=image.extractfile(_blob(digest))) as layer:
        members = layer.getmembers()
        if not all(_is_plain(member) for member in members):
            return False
        temporary = pool / f".{digest}"
        shutil.rmtree(temporary, ignore_errors=True)
        files = temporary / FILES
        files.mkdir(parents=True)
        layer.extractall(files, members, filter="fully_trusted")
        files.chmod(0o755)
        temporary.rename(pool / digest)
    return True


def _is_plain(member: tarfile.TarInfo) -> bool:
    """Return whether every user can unpack a member faithfully, except for its owner, which has to be root.

    Extended attributes, such as capabilities, need root. So does a whiteout (in OCI's image specification the name of a
    lower layer's file that is gone, after ``.wh.``), which overlayfs wants as a device.
    """
    if any(name.startswith("SCHILY.xattr.") for name in member.pax_headers) or _WHITEOUT in f"/{member.name}":
        return False
    kind = member.isreg() or member.isdir() or member.issym() or member.islnk()
    return kind and member.uid == member.gid == 0 and not member.mode & 0o6000


def _document(image: tarfile.TarFile, name: str) -> Any:
    file = image.extractfile(name)
    assert file is not None, f"{name} is a file"
    return json.load(file)


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"
