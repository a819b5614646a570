"""A question of a check: what every way of asking has in common, or many of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest
from proving_ground.kubernetes.benchmark.facts import OF_PROGRAMS, Facts
from proving_ground.kubernetes.benchmark.site import Site


@dataclass(frozen=True)
class Needs:
    """What has to be collected for a question.

    Attributes:
        files: kind of machine and pattern of paths whose modes and owners are asked for.
        documents: kind of machine and path whose content is.
        arguments: program and argument that names a document.
        clients: kind of machine and kubeconfigs of which the client's certificate is asked for.
        pods: name → pod of which is asked whether it would be admitted.
    """

    files: tuple[tuple[str, str], ...] = ()
    documents: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()
    clients: tuple[tuple[str, str], ...] = ()
    pods: tuple[tuple[str, Mapping[str, Any]], ...] = ()


class Question(Protocol):
    """One question of a check."""

    def needs(self, site: Site) -> Needs:
        """Return what has to be collected beside processes, sockets, kubelets' settings and objects."""

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:
        """Yield what is wrong, one line each, naming machine or object.

        Raises:
            LookupError: what it asks for was not found, so that nothing is known.
        """


class OfCollected:
    """What questions have in common that are about what is always collected: processes, sockets, kubelets, objects."""

    def needs(self, site: Site) -> Needs:  # noqa: ARG002 - as every question
        """Return nothing."""
        return Needs()


def program(manifest: Mapping[str, Any], where: str) -> str:
    """Return the program that a question is about; raises UsageError if it is unknown."""
    name = str(manifest.get("of", ""))
    if name not in OF_PROGRAMS:
        raise UsageError(f"unknown program {name!r}", where=f"{where}: of", hint=nearest(name, OF_PROGRAMS))
    return name
