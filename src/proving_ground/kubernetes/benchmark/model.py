"""A check of the benchmark, and its result on a cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.question import Question
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.ways.registry import read_questions


class Outcome(StrEnum):
    """What a check has found."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Check:
    """A check of the benchmark.

    Attributes:
        id: its number in the benchmark, such as ``1.2.1``.
        name: a word or two for it.
        what: what has to be, as a sentence.
        questions: what is asked; all answers have to be right.
    """

    id: str
    name: str
    what: str
    questions: tuple[Question, ...]

    def __str__(self) -> str:
        return f"{self.id}-{self.name}"

    @property
    def section(self) -> str:
        """The part of the benchmark that it belongs to, such as ``1.2``."""
        return self.id.rpartition(".")[0]


@dataclass(frozen=True)
class Result:
    """What a check has found on a cluster.

    Attributes:
        check: the check.
        outcome: what came of it.
        problems: what is wrong, one line each.
        reason: why it does not apply.
    """

    check: Check
    outcome: Outcome
    problems: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        text = f"CIS {self.check.id}: {self.check.what}"
        return "\n".join((text, *(f"  {each}" for each in self.problems)))


def judge(check: Check, facts: Facts, site: Site) -> Result:
    """Return the result of a check.

    One that the site exempts does not apply as long as the reason holds, which is asked as well; otherwise it fails.

    Args:
        check: the check.
        facts: what was collected.
        site: what is particular to the cluster.
    """
    exemption = site.exemptions.get(check.id)
    if exemption is None:
        problems = wrong(check.questions, facts, site, check.id)
        return Result(check, Outcome.FAILED if problems else Outcome.PASSED, problems)
    broken = wrong(reason_of(site, check.id), facts, site, check.id)
    if broken:
        said = f"it should not apply, since {exemption.reason}; but"
        return Result(check, Outcome.FAILED, (said, *broken))
    return Result(check, Outcome.NOT_APPLICABLE, reason=exemption.reason)


def reason_of(site: Site, check: str) -> tuple[Question, ...]:
    """Return the questions that tell whether the reason of an exemption holds."""
    return read_questions(site.exemptions[check].holds, f"not_applicable: {check}")


def wrong(questions: Iterable[Question], facts: Facts, site: Site, check: str) -> tuple[str, ...]:
    """Return all that is wrong; what could not be found out is wrong as well."""
    found: list[str] = []
    for question in questions:
        try:
            found += question.wrong(facts, site, check)
        except LookupError as error:
            found.append(f"nothing is known: {error.args[0] if error.args else type(error).__name__}")
    return tuple(dict.fromkeys(found))
