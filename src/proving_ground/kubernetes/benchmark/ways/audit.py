"""Ask an audit policy how much it logs of a request, by the rules of ``audit.k8s.io/v1``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.question import Needs
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.ways.documents import Source
from proving_ground.kubernetes.policies.manifest import fields

SOURCE = Source("audit-policy-file", "kube-apiserver")
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
EVERYBODY = "system:authenticated"


@dataclass(frozen=True)
class Audit:
    """A request of an ordinary user, in an ordinary namespace, and how much has to be logged of it.

    Attributes:
        resource: ``pods``, or ``pods/exec`` for a part of it.
        group: its API group; empty for the core's.
        verb: such as ``create``.
        least: the level that has to be reached.
        most: the level that must not be exceeded, since the log would hold what is secret.
    """

    resource: str
    group: str
    verb: str
    least: str
    most: str = LEVELS[-1]

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Audit:
        """Read ``{audit: RESOURCE, group: "", verb: VERB, least: LEVEL, most: LEVEL}``; raises UsageError."""
        given = fields(manifest, ("audit", "group", "verb", "least", "most"), where)
        levels = [str(given.get("least", "Metadata")), str(given.get("most", LEVELS[-1]))]
        for level in levels:
            if level not in LEVELS:
                raise UsageError(f"unknown level {level!r}", where=where, hint=nearest(level, LEVELS))
        return cls(str(given["audit"]), str(given.get("group", "")), str(given["verb"]), *levels)

    def needs(self, site: Site) -> Needs:  # noqa: ARG002 - as every question
        """Return the argument that names the policy."""
        return Needs(arguments=((SOURCE.program, SOURCE.argument),))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield machines whose policy logs too little, or too much."""
        for machine, policy in SOURCE.parsed(facts):
            level = self.level(policy if isinstance(policy, Mapping) else {})
            request = f"{machine.name}: of {self.verb} {self.resource} is logged {level}"
            if LEVELS.index(level) < LEVELS.index(self.least):
                yield f"{request}, which is less than {self.least}"
            if LEVELS.index(level) > LEVELS.index(self.most):
                yield f"{request}, which is more than {self.most}"

    def level(self, policy: Mapping[str, Any]) -> str:
        """Return the level of the first rule of a policy that matches; ``None`` if none does."""
        for rule in policy.get("rules") or []:
            if self._matches(rule):
                return str(rule.get("level", "None"))
        return "None"

    def _matches(self, rule: Mapping[str, Any]) -> bool:
        if rule.get("users") or rule.get("namespaces") or rule.get("nonResourceURLs"):
            return False
        if (groups := rule.get("userGroups")) and EVERYBODY not in groups:
            return False
        if (verbs := rule.get("verbs")) and self.verb not in verbs:
            return False
        resources = rule.get("resources")
        return not resources or any(self._covers(each) for each in resources)

    def _covers(self, entry: Mapping[str, Any]) -> bool:
        if entry.get("group", "") != self.group or entry.get("resourceNames"):
            return False
        named = entry.get("resources")
        whole, _, part = self.resource.partition("/")
        wanted = {self.resource, "*"} | ({f"{whole}/*", f"*/{part}"} if part else set())
        return not named or bool(wanted & set(named))
