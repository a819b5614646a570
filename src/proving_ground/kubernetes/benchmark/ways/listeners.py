"""Ask where a program listens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.facts import OF_PROGRAMS, Facts
from proving_ground.kubernetes.benchmark.question import OfCollected, program
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields

LOOPBACK = ("127.", "::1")


@dataclass(frozen=True)
class Listens(OfCollected):
    """A port of a program: on the loopback interface alone, or nowhere.

    Attributes:
        port: the port.
        program: the program.
        loopback: whether it has to listen, on loopback; without, nothing may listen at that port.
    """

    port: int
    program: str
    loopback: bool

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Listens:
        """Read ``{listener: PORT, of: PROGRAM, where: loopback|nowhere}``; raises UsageError."""
        given = fields(manifest, ("listener", "of", "where"), where)
        if given.get("where") not in {"loopback", "nowhere"}:
            raise UsageError(
                "a question about a listener does not say where it may be",
                where=where,
                hint="add where: loopback or nowhere",
            )
        return cls(int(given["listener"]), program(given, where), given["where"] == "loopback")

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield addresses at which it must not listen, and machines where it does not."""
        for machine in facts.of_kind(OF_PROGRAMS[self.program]):
            found = [each for each in machine.listeners if each.port == self.port]
            if self.loopback and not found:
                yield f"{machine.name}: nothing listens at port {self.port}, which is {self.program}'s"
            for each in found:
                if not (self.loopback and each.address.startswith(LOOPBACK)):
                    yield f"{machine.name}: {each.process or 'something'} listens at port {self.port} of {each.address}"
