"""Ask the API server whether it would take a pod, without making it; and one beside it that it should take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.pods import RESTRICTED_CONTAINER, RESTRICTED_POD
from proving_ground.kubernetes.policies.manifest import fields

SOUND = "a pod that asks for nothing"

POD: Mapping[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "benchmark"},
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": RESTRICTED_POD,
        "containers": [
            {
                "name": "main",
                "image": "benchmark",
                "securityContext": RESTRICTED_CONTAINER,
            }
        ],
    },
}
"""What every namespace takes: the pod of the strictest level."""


@dataclass(frozen=True)
class Refuses:
    """A pod that no namespace of users may take.

    Attributes:
        what: what is wrong with it, as its name.
        pod: fields of its spec that differ from :data:`POD`; None takes a field away.
        container: fields of its container that differ.
    """

    what: str
    pod: Mapping[str, Any]
    container: Mapping[str, Any]

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Refuses:
        """Read ``{refuses: WHAT, pod: {…}, container: {…}}``; raises UsageError."""
        given = fields(manifest, ("refuses", "pod", "container"), where)
        return cls(str(given["refuses"]), given.get("pod") or {}, given.get("container") or {})

    def needs(self, site: Site) -> Needs:  # noqa: ARG002 - as every question
        """Return the pod, and the one that has to be taken."""
        return Needs(pods=((SOUND, POD), (self.what, self.manifest())))

    def manifest(self) -> dict[str, Any]:
        """Return the whole pod."""
        spec = merged(POD["spec"], self.pod)
        spec["containers"] = [merged(POD["spec"]["containers"][0], self.container)]
        return {**POD, "spec": spec}

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:
        """Yield the namespaces that take the pod, and those that refuse every pod, which shows nothing."""
        if not facts.refused:
            raise LookupError("no namespace was asked whether it takes pods")
        for namespace, refused in facts.refused.items():
            if namespace in site.system_namespaces or site.trusts(f"Namespace {namespace}", check):
                continue
            if refused[SOUND]:
                yield f"{namespace} refuses even {SOUND}: {refused[SOUND]}"
            elif not refused[self.what]:
                yield f"{namespace} takes {self.what}"


def merged(value: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with the fields of another one, as a JSON merge patch does it."""
    result = dict(value)
    for key, each in other.items():
        if each is None:
            result.pop(key, None)
        elif isinstance(each, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], each)
        else:
            result[key] = each
    return result
