"""Find containers whose image may be another one tomorrow, or that run as root without a reason that shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from proving_ground.diagnostics.findings import Finding

Spec = Mapping[str, Any]
"""A part of a pod's manifest, as JSON."""


def of_pod(pod: Spec) -> Iterator[Finding]:
    """Yield the findings of a pod's containers; a pod that ends is left alone."""
    metadata, spec = pod["metadata"], pod["spec"]
    if metadata.get("deletionTimestamp"):
        return
    host = spec.get("nodeName") or "no node"
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        subject = f"{metadata['namespace']}/{metadata['name']} {container['name']}"
        if not is_pinned(container.get("image", "")):
            line = f"{container.get('image')}: the registry decides which one it is; name a version or a digest"
            yield Finding(host, "image without a pin", subject, line)
        if is_root(spec, container) and not needs_root(spec, container):
            line = "nothing of it needs root; set runAsNonRoot, or runAsUser"
            yield Finding(host, "container as root", subject, line)


def is_pinned(image: str) -> bool:
    """Return whether an image's reference names a digest, or a tag other than ``latest``."""
    if "@" in image:
        return True
    _, _, tag = image.rpartition("/")[2].partition(":")
    return tag not in {"", "latest"}


def is_root(spec: Spec, container: Spec) -> bool:
    """Return whether a container may run as root; the image's own user is not known, and is taken for root."""
    context = {**(spec.get("securityContext") or {}), **(container.get("securityContext") or {})}
    return not context.get("runAsNonRoot") and context.get("runAsUser", 0) == 0


def needs_root(spec: Spec, container: Spec) -> bool:
    """Return whether a container shares namespaces or files with its node, or has rights that only root can use."""
    context = container.get("securityContext") or {}
    added = (context.get("capabilities") or {}).get("add")
    shared = any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    files = any("hostPath" in volume for volume in spec.get("volumes") or ())
    return bool(context.get("privileged") or added or shared or files)
