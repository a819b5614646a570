"""Who may do what, by the roles and bindings of RBAC. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from proving_ground.kubernetes.benchmark.facts import Facts, Manifest, name_of

BOOTSTRAP = ("kubernetes.io/bootstrapping", "rbac-defaults")
"""The label of the roles and bindings that the API server makes itself."""

BROAD = ("system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts")
"""Beginnings of names that stand for everybody, although they begin as those of the cluster's own parts do."""

ANY = "*"


@dataclass(frozen=True)
class Grant:
    """A role that a binding gives to a subject.

    Attributes:
        subject: ``User name``, ``Group name``, or ``ServiceAccount namespace/name``.
        binding: the binding's kind and name.
        role: the role's kind and name.
        rules: the role's rules; none if there is no such role.
        own: whether the subject is a part of the cluster itself, such as its scheduler.
    """

    subject: str
    binding: str
    role: str
    rules: tuple[Manifest, ...]
    own: bool

    def allows(self, verbs: tuple[str, ...], group: str, resources: tuple[str, ...]) -> bool:
        """Return whether it allows one of the verbs on one of the resources."""
        return any(
            _has(rule, "verbs", verbs) and _has(rule, "apiGroups", (group,)) and _has(rule, "resources", resources)
            for rule in self.rules
        )


def grants(facts: Facts) -> Iterator[Grant]:
    """Yield all grants of a cluster.

    Raises:
        LookupError: roles and bindings were not collected.
    """
    roles = {}
    for kind, resource in (("Role", "roles"), ("ClusterRole", "clusterroles")):
        for each in _collected(facts, resource):
            roles[f"{kind} {name_of(each)}"] = tuple(each.get("rules") or ())
    for kind, resource in (("RoleBinding", "rolebindings"), ("ClusterRoleBinding", "clusterrolebindings")):
        for binding in _collected(facts, resource):
            given = binding["roleRef"]
            namespace = f"{binding['metadata'].get('namespace')}/" if given["kind"] == "Role" else ""
            role = f"{given['kind']} {namespace}{given['name']}"
            for subject in binding.get("subjects") or ():
                yield Grant(
                    subject_of(subject, binding),
                    f"{kind} {name_of(binding)}",
                    role,
                    roles.get(role, ()),
                    is_own(subject, binding),
                )


def subject_of(subject: Manifest, binding: Manifest) -> str:
    """Return a subject's kind and name."""
    if subject["kind"] != "ServiceAccount":
        return f"{subject['kind']} {subject['name']}"
    return f"ServiceAccount {subject.get('namespace') or binding['metadata'].get('namespace')}/{subject['name']}"


def is_own(subject: Manifest, binding: Manifest) -> bool:
    """Return whether a subject is a part of the cluster itself.

    Users and groups are by their names, which nobody else may have; service accounts of kube-system are where the API
    server itself has made the binding.
    """
    if subject["kind"] == "ServiceAccount":
        return is_bootstrap(binding) and subject.get("namespace") == "kube-system"
    name = str(subject["name"])
    return name.startswith("system:") and not name.startswith(BROAD)


def is_bootstrap(manifest: Manifest) -> bool:
    """Return whether the API server makes this role or binding itself."""
    labels = manifest["metadata"].get("labels") or {}
    return bool(labels.get(BOOTSTRAP[0]) == BOOTSTRAP[1])


def wildcards(rule: Mapping[str, object]) -> list[str]:
    """Return the fields of a rule that stand for everything."""
    found = ("verbs", "apiGroups", "resources", "nonResourceURLs")
    return [each for each in found if ANY in (rule.get(each) or ())]  # type: ignore[operator] # lists of texts


def _has(rule: Manifest, field: str, wanted: tuple[str, ...]) -> bool:
    return bool({ANY, *wanted} & set(rule.get(field) or ()))


def _collected(facts: Facts, resource: str) -> Iterator[Manifest]:
    if resource not in facts.objects:
        raise LookupError(f"{resource} were not collected")
    yield from facts.objects[resource]
