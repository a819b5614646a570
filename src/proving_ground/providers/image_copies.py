"""Give an image that one engine has to others, once for each content."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from proving_ground.core.progress import Progress
from proving_ground.process.services import cache_directory
from proving_ground.providers.container_image import Image, identifier
from proving_ground.providers.engine import Engine

COPIES = "proving-ground/copy"
"""Name of the images that come from another engine: the names that its own users have for images stay as they are."""

OURS = "proving-ground/"
SECONDS = 900.0


def spread(image: Image, source: Engine, targets: Sequence[Engine], progress: Progress, log: Path) -> Image:
    """Return the image under a name by which ``source`` and all ``targets`` have it.

    It goes by way of this host, since engines need no route to each other's images.

    Args:
        image: the image.
        source: has it.
        targets: get it unless they have it.
        progress: receives a line if one does not.
        log: receives the engines' output.

    Raises:
        MachineError: an engine cannot save or load it.
    """
    name = image.name
    if not name.startswith(OURS):  # ours say in their names what their content is
        name = f"{COPIES}:{hashlib.sha256(image.key.encode()).hexdigest()[:16]}"
        if not identifier(source, name, log):
            source.run("tag", image.name, name, log=log)
    with ThreadPoolExecutor(max(1, len(targets))) as pool:
        present = pool.map(lambda engine: identifier(engine, name, log), targets)
        lacking = [engine for engine, key in zip(targets, present, strict=True) if not key]
        if lacking:
            cache = cache_directory()
            cache.mkdir(parents=True, exist_ok=True)
            to = ", ".join(engine.address for engine in lacking)
            with progress.step(f"image {image.name} to {to}"), tempfile.TemporaryDirectory(dir=cache) as directory:
                file = str(Path(directory) / "image.tar")
                source.run("save", "--output", file, name, log=log, timeout=SECONDS)
                for load in [
                    pool.submit(engine.run, "load", "--input", file, log=log, timeout=SECONDS) for engine in lacking
                ]:
                    load.result()
    return replace(image, name=name)
