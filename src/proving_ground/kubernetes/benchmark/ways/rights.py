"""Ask who may do what, by RBAC: nobody but the cluster's own parts, and those whom the site trusts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.facts import Facts, name_of
from proving_ground.kubernetes.benchmark.grants import Grant, grants, is_bootstrap, wildcards
from proving_ground.kubernetes.benchmark.question import OfCollected
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.ways.topics import OfTopic, Topics
from proving_ground.kubernetes.policies.manifest import fields, items

MASTERS = "Group system:masters"


@dataclass(frozen=True)
class Rights(OfCollected):
    """Verbs on resources of an API group, which nobody may have."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    group: str = ""

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Rights:
        """Read ``{rights: [VERB, …], to: [RESOURCE, …], group: ""}``; raises UsageError."""
        given = fields(manifest, ("rights", "to", "group"), where)
        verbs, resources = (tuple(map(str, items(given.get(each), where))) for each in ("rights", "to"))
        if not verbs or not resources:
            raise UsageError("a question about rights lacks rights (verbs) or to (resources)", where=where)
        return cls(verbs, resources, str(given.get("group", "")))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:
        """Yield who may."""
        what = f"may {' or '.join(self.verbs)} {', '.join(self.resources)}"
        for grant in _others(facts, site, check):
            if grant.allows(self.verbs, self.group, self.resources):
                yield f"{grant.subject} {what}, by {grant.binding} and {grant.role}"


def _others(facts: Facts, site: Site, check: str) -> Iterator[Grant]:
    found = list(grants(facts))
    if not found:
        raise LookupError("there are no bindings at all")
    return (grant for grant in found if not grant.own and not site.trusts(grant.subject, check))


def _bound_to_everything(facts: Facts, site: Site, check: str) -> Iterator[str]:
    """Yield who has the role cluster-admin; of the cluster's own parts nobody but system:masters needs it."""
    for grant in grants(facts):
        if grant.role != "ClusterRole cluster-admin" or grant.subject == MASTERS:
            continue
        if not site.trusts(grant.subject, check):
            yield f"{grant.subject} has the role cluster-admin, by {grant.binding}"


def _wildcards(facts: Facts, site: Site, check: str) -> Iterator[str]:
    for kind, resource in (("Role", "roles"), ("ClusterRole", "clusterroles")):
        if not facts.objects.get("clusterroles"):
            raise LookupError("there are no roles at all")
        for role in facts.objects.get(resource, ()):
            name = f"{kind} {name_of(role)}"
            if is_bootstrap(role) or site.trusts(name, check):
                continue
            if found := sorted({each for rule in role.get("rules") or () for each in wildcards(rule)}):
                yield f"{name} has * for {', '.join(found)}"


def _users(facts: Facts, site: Site, check: str) -> Iterator[str]:
    for grant in _others(facts, site, check):
        if not grant.subject.startswith("ServiceAccount") and not grant.subject.startswith("Group system:"):
            yield f"{grant.subject} has {grant.role}, by {grant.binding}: who is that?"


def _masters(facts: Facts, site: Site, check: str) -> Iterator[str]:
    for grant in grants(facts):
        if grant.subject != MASTERS or grant.binding == "ClusterRoleBinding cluster-admin":
            continue
        if not site.trusts(grant.binding, check):
            yield f"{grant.binding} is of {MASTERS}, which no binding can take anything from"


def _default_accounts(facts: Facts, site: Site, check: str) -> Iterator[str]:
    for grant in _others(facts, site, check):
        if grant.subject.startswith("ServiceAccount") and grant.subject.endswith("/default"):
            yield f"{grant.subject} has {grant.role}, by {grant.binding}"


TOPICS: Topics = {
    "cluster-admin": _bound_to_everything,
    "wildcards": _wildcards,
    "users": _users,
    "system:masters": _masters,
    "default-accounts": _default_accounts,
}
"""What a binding or role must not do, by the name that the table has for it."""


class Bindings(OfTopic):
    """A topic of :data:`TOPICS`: ``{bindings: TOPIC}``."""

    key = "bindings"
    topics = TOPICS
