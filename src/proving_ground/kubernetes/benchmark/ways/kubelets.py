"""Ask for a value in the configuration that a kubelet runs with, as it tells it itself (``/configz``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.benchmark.expectation import KEYS, Expectation
from proving_ground.kubernetes.benchmark.facts import Facts, values
from proving_ground.kubernetes.benchmark.question import OfCollected
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields


@dataclass(frozen=True)
class KubeletSetting(OfCollected):
    """A value in the configuration of every kubelet."""

    path: str
    expected: Expectation

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> KubeletSetting:
        """Read ``{kubelet: PATH.OF.KEYS, …expectation}``; raises UsageError."""
        given = fields(manifest, ("kubelet", *KEYS), where)
        return cls(str(given["kubelet"]), Expectation.read(given, where))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield nodes whose kubelet has another value."""
        if not facts.kubelets:
            raise LookupError("no kubelet has told its configuration")
        for node, configuration in facts.kubelets.items():
            found = values(configuration, self.path)
            if problem := self.expected.wrong(found[0] if found else None):
                yield f"{node}: {self.path} of its kubelet {problem}"
