"""Select by labels, as ``podSelector`` and ``namespaceSelector`` do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.policies.manifest import fields, items

WITH_VALUES = ("In", "NotIn")
WITHOUT_VALUES = ("Exists", "DoesNotExist")


@dataclass(frozen=True)
class Requirement:
    """One item of ``matchExpressions``."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels meet it. Labels without the key meet ``NotIn`` and ``DoesNotExist``."""
        if self.operator == "In":
            return labels.get(self.key) in self.values
        if self.operator == "NotIn":
            return labels.get(self.key) not in self.values
        return (self.key in labels) == (self.operator == "Exists")


@dataclass(frozen=True)
class Selector:
    """A label selector: all its requirements have to be met, so that an empty one matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels meet all requirements."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    @classmethod
    def read(cls, manifest: object, where: str) -> Selector:
        """Read ``matchLabels`` and ``matchExpressions``.

        Raises:
            UsageError: the API server would refuse it; names ``where``.
        """
        given = fields(manifest, ("matchLabels", "matchExpressions"), where)
        labels = given.get("matchLabels") or {}
        wanted = [Requirement(key, "In", frozenset({value})) for key, value in labels.items()]
        for number, item in enumerate(items(given.get("matchExpressions"), f"{where}.matchExpressions")):
            wanted.append(_requirement(item, f"{where}.matchExpressions[{number}]"))
        return cls(tuple(wanted))


def _requirement(item: object, where: str) -> Requirement:
    given = fields(item, ("key", "operator", "values"), where)
    operator = str(given.get("operator"))
    values = frozenset(map(str, items(given.get("values"), f"{where}.values")))
    if operator not in WITH_VALUES + WITHOUT_VALUES:
        hint = nearest(operator, list(WITH_VALUES + WITHOUT_VALUES))
        raise UsageError(f"there is no operator {operator!r}", where=where, hint=hint)
    if "key" not in given:
        raise UsageError("a key is missing", where=where)
    if bool(values) != (operator in WITH_VALUES):
        need = "needs values" if operator in WITH_VALUES else "takes no values"
        raise UsageError(f"{operator} {need}", where=where)
    return Requirement(str(given["key"]), operator, values)
