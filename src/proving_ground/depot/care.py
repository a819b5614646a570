"""Maintain the cache: find and remove corrupt entries, and entries that no project has used for a while."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from proving_ground.core.errors import DepotError, HarnessError
from proving_ground.depot import layers
from proving_ground.depot.depot import Depot, Report, silence
from proving_ground.depot.store import HINT


def check(depot: Depot, report: Report = silence) -> list[str]:
    """Compare the content of every file of every entry with its checksum; return one line for each finding.

    Unpacked layers are compared with the images that they come from.
    """
    found = [str(error) for _, _, error in _corrupt(depot, report)]
    return [*found, *(str(_not_as_built(depot, digest)) for digest in _damaged_layers(depot))]


def repair(depot: Depot, report: Report = silence) -> list[str]:
    """Remove every corrupt entry and layer, so that the next fill makes them again; return their names."""
    removed = []
    with depot.locked(report):
        for name, key, error in _corrupt(depot):
            report(str(error))
            depot.store.remove(name, key)
            removed.append(name)
        for digest in list(_damaged_layers(depot)):
            report(str(_not_as_built(depot, digest)))
            shutil.rmtree(depot.layers / digest)
            removed.append(f"layer {digest[:12]}")
    return removed


def _damaged_layers(depot: Depot) -> Iterator[str]:
    """Yield the digests of damaged layers; those of images that are corrupt themselves are not compared."""
    images = []
    for name, key in depot.present():
        try:
            entry = depot.store.load(name, key)
            depot.store.verify(name, entry)
        except HarnessError:
            continue
        images += [entry.file("image.tar")] if "image.tar" in entry.files else []
    return layers.damaged(images, depot.layers)


def _not_as_built(depot: Depot, digest: str) -> DepotError:
    """Return the error of a damaged layer."""
    return DepotError(f"corrupt: {depot.layers / digest} is not what was unpacked", where="layers", hint=HINT)


def _corrupt(depot: Depot, report: Report = silence) -> Iterator[tuple[str, str, HarnessError]]:
    """Yield name, key and error of corrupt entries; report the others as intact."""
    for name, key in depot.present():
        try:
            depot.store.verify(name, depot.store.load(name, key), thorough=True)
            report(f"{name} {key} is intact")
        except HarnessError as error:
            yield name, key, error


def prune(depot: Depot, days: float, report: Report = silence) -> list[Path]:
    """Remove entries, views and layers that no project has used for ``days``; entries that this checkout needs stay."""
    removed = []
    limit = time.time() - days * 86400
    with depot.locked(report):
        needed = {depot.store.entries / name / key for name, key in depot.keys.items()}
        old = [depot.store.entries / name / key for name, key in depot.present()]
        # A view's hard links take no disk space, but keep the space of removed entries in use.
        old += (path for path in depot.views.glob("*") if path != depot.layers)
        old += depot.layers.glob("*")
        for path in old:
            if path not in needed and path.stat().st_mtime < limit:
                report(f"removing {path}")
                shutil.rmtree(path)
                removed.append(path)
    return removed
