"""Ask for values in objects of the API, such as pods and service accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.benchmark.collected import RESOURCES
from proving_ground.kubernetes.benchmark.expectation import KEYS, Expectation
from proving_ground.kubernetes.benchmark.facts import Facts, Manifest, name_of, values
from proving_ground.kubernetes.benchmark.question import OfCollected
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields, items


@dataclass(frozen=True)
class Objects(OfCollected):
    """Every object of a resource has the expected value at a path; or there must be none.

    Attributes:
        resource: such as ``pods``.
        expected: what the value has to be; None if no such object may be there.
        path: the value's path.
        name: the name of the objects that are meant; empty for all.
        namespace: their namespace; empty for all.
        besides: names of objects that are not meant.
    """

    resource: str
    expected: Expectation | None
    path: str = ""
    name: str = ""
    namespace: str = ""
    besides: tuple[str, ...] = ()

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Objects:
        """Read ``{objects: RESOURCE, at: PATH, …expectation}`` or ``{objects: RESOURCE, none: true}``."""
        given = fields(manifest, ("objects", "at", "name", "namespace", "besides", "none", *KEYS), where)
        resource = str(given["objects"])
        if resource not in RESOURCES:
            raise UsageError(f"unknown resource {resource!r}", where=where, hint=nearest(resource, RESOURCES))
        expected = None if given.get("none") else Expectation.read(given, where)
        path, name, namespace = (str(given.get(each, "")) for each in ("at", "name", "namespace"))
        return cls(resource, expected, path, name, namespace, tuple(items(given.get("besides"), where)))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:
        """Yield the objects that are wrong."""
        if self.resource not in facts.objects:
            raise LookupError(f"{self.resource} were not collected")
        meant = [each for each in facts.objects[self.resource] if self._means(each)]
        if self.expected is not None and self.name and not meant:
            raise LookupError(f"there are no {self.resource} {self.name}")
        for each in meant:
            what = f"{self.resource} {name_of(each)}"
            if site.trusts(what, check):
                continue
            if self.expected is None:
                yield f"there is {what}"
                continue
            for value in values(each, self.path) or [None]:
                if problem := self.expected.wrong(value):
                    yield f"{what}: {self.path} {problem}"

    def _means(self, manifest: Manifest) -> bool:
        metadata = manifest["metadata"]
        if self.name and metadata["name"] != self.name:
            return False
        if self.namespace and metadata.get("namespace") != self.namespace:
            return False
        return metadata["name"] not in self.besides
