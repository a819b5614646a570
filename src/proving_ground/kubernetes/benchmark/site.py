"""What is particular to one cluster: where its files are, what does not apply to it and why, and whom it trusts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.core.yaml_files import read_checked

SCHEMA = Path(__file__).with_name("site.json")
EVERYTHING = "all"


@dataclass(frozen=True)
class Trust:
    """A subject, pod or namespace that may do what a check looks for.

    Attributes:
        name: what it is, such as ``User calico-node`` or ``Pod kube-system/kube-proxy-*``, a pattern of a shell.
        checks: identifiers of the checks, or ``all``.
        reason: why it needs that.
    """

    name: str
    checks: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Exemption:
    """A check that does not apply.

    Attributes:
        check: the check's identifier.
        reason: why it does not apply.
        holds: a question whose answer has to be right for the reason to hold, as in the table of checks.
    """

    check: str
    reason: str
    holds: Any


@dataclass(frozen=True)
class Site:
    """What is particular to one cluster.

    Attributes:
        paths: name in the table → paths on machines.
        exemptions: check → why it does not apply.
        trusted: what may do what checks look for.
        system_namespaces: namespaces of the cluster itself, whose pods may do what pods of users must not.
        ignored_labels: labels of namespaces that no check looks at, such as those of tests.
    """

    paths: Mapping[str, tuple[str, ...]]
    exemptions: Mapping[str, Exemption] = field(default_factory=dict)
    trusted: Sequence[Trust] = ()
    system_namespaces: tuple[str, ...] = ("kube-system",)
    ignored_labels: Mapping[str, str] = field(default_factory=dict)

    def trusts(self, name: str, check: str) -> bool:
        """Return whether something may do what a check looks for."""
        return any(fnmatchcase(name, each.name) and {EVERYTHING, check} & set(each.checks) for each in self.trusted)

    def paths_of(self, name: str) -> tuple[str, ...]:
        """Return the paths of a name in braces, such as ``{kubelet-config}``, or the path itself.

        Raises:
            UsageError: there is no such name.
        """
        if not name.startswith("{"):
            return (name,)
        word = name.strip("{}")
        if word not in self.paths:
            raise UsageError(f"there are no paths {word!r}", where="paths", hint=nearest(word, self.paths))
        return self.paths[word]


def read_site(path: Path, usual: Mapping[str, tuple[str, ...]]) -> Site:
    """Return what a file says of a cluster.

    Args:
        path: YAML with ``paths``, ``not_applicable``, ``trusted``, ``system_namespaces`` and ``ignored_labels``.
        usual: paths where the file names none.

    Raises:
        UsageError: it is not YAML, lacks a key, or has an unknown one.
    """
    said = read_checked(path, SCHEMA)
    exemptions = [
        Exemption(str(check), entry["reason"], entry["holds"])
        for check, entry in (said.get("not_applicable") or {}).items()
    ]
    trusted = [
        Trust(entry["name"], tuple(map(str, as_list(entry["checks"]))), entry["reason"])
        for entry in said.get("trusted") or ()
    ]
    return Site(
        {**usual, **read_paths(said.get("paths"))},
        {each.check: each for each in exemptions},
        trusted,
        tuple(said.get("system_namespaces") or ("kube-system",)),
        said.get("ignored_labels") or {},
    )


def read_paths(said: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """Return name → paths of a mapping, whose values are a path or a list of paths."""
    return {name: tuple(as_list(each)) for name, each in (said or {}).items()}


def as_list(value: str | list[str]) -> list[str]:
    """Return a list that may be written as its only entry."""
    return [value] if isinstance(value, str) else value
