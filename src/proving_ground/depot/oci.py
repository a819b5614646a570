"""Write a pod image as an uncompressed OCI archive for containerd, with the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from proving_ground.depot import tar
from proving_ground.depot.go import architecture
from proving_ground.depot.job import Job
from proving_ground.depot.store import sha256_of

REGISTRY = "depot.proving-ground.test"
"""A host name that no resolver knows, so that a node can pull no image."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def build(job: Job) -> dict[str, Any]:
    """Write ``image.tar``.

    Uncompressed, because decompression on every node costs more than the disk space. A layer that two images share is
    the same blob, so that containerd imports it once.

    Returns:
        ``reference``: the image's name; ``digest`` of its manifest.
    """
    settings = job.component.settings
    layers: list[Path] = []
    for number, layer in enumerate(settings["layers"]):
        if "tree" in layer:
            layers.append(job.input_file(layer["tree"]))
            continue
        path = job.out / f"layer-{number}.tar"
        files = {name: job.input_file(reference) for name, reference in layer.get("files", {}).items()}
        tar.of_files(files, layer.get("links", {}), path)
        layers.append(path)
    environment = {"PATH": PATH, **settings.get("environment", {})}
    config = {"Env": [f"{name}={value}" for name, value in environment.items()], "WorkingDir": "/"}
    if settings.get("entrypoint"):
        config["Entrypoint"] = settings["entrypoint"]
    if settings.get("command"):
        config["Cmd"] = settings["command"]
    reference, digest = archive(settings["image"], layers, config, job.out / "image.tar")
    for path in layers:
        if path.parent == job.out:
            path.unlink()
    return {"reference": reference, "digest": digest}


def archive(name: str, layers: list[Path], config: dict[str, Any], target: Path) -> tuple[str, str]:
    """Write layers (tar files) and configuration as an OCI archive to ``target``; return reference and digest."""
    blobs: dict[str, bytes | Path] = {}

    def blob(content: bytes | Path, media_type: str) -> dict[str, Any]:
        if isinstance(content, Path):
            digest, size = sha256_of(content), content.stat().st_size
        else:
            digest, size = hashlib.sha256(content).hexdigest(), len(content)
        blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}

    def document(content: dict[str, Any]) -> bytes:
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    descriptors = [blob(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers]
    image = {
        "architecture": architecture(),
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [descriptor["digest"] for descriptor in descriptors]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(document(image), "application/vnd.oci.image.config.v1+json"),
        "layers": descriptors,
    }
    top = blob(document(manifest), "application/vnd.oci.image.manifest.v1+json")
    tag = top["digest"].removeprefix("sha256:")[:12]
    reference = f"{REGISTRY}/{name}:{tag}"
    top["annotations"] = {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": tag}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [top]}
    members: list[tuple[str, bytes | Path]] = [
        ("oci-layout", document({"imageLayoutVersion": "1.0.0"})),
        ("index.json", document(index)),
    ]
    tar.of_bytes([*members, *((f"blobs/sha256/{digest}", content) for digest, content in blobs.items())], target)
    return reference, top["digest"]
