"""Ask for an argument of a running process, such as ``--anonymous-auth``, or the variable that stands for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.benchmark.expectation import KEYS, Expectation
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.question import OfCollected, program
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.policies.manifest import fields


@dataclass(frozen=True)
class Argument(OfCollected):
    """An argument of a program, on every machine that runs it."""

    argument: str
    program: str
    expected: Expectation

    @classmethod
    def read(cls, manifest: Mapping[str, Any], where: str) -> Argument:
        """Read ``{argument: NAME, of: PROGRAM, …expectation}``; raises UsageError."""
        given = fields(manifest, ("argument", "of", *KEYS), where)
        return cls(str(given["argument"]), program(given, where), Expectation.read(given, where))

    def wrong(self, facts: Facts, site: Site, check: str) -> Iterator[str]:  # noqa: ARG002 - as every question
        """Yield machines where the argument is wrong."""
        for machine, arguments in facts.running(self.program):
            if problem := self.expected.wrong(arguments.get(self.argument)):
                yield f"{machine.name}: --{self.argument} of {self.program} {problem}"
