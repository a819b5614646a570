"""Compare expected with actual connections; a broken probe never counts as a blocked connection. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import USUAL, Timeouts

MOST_LINES = 40
"""Lines of a table in an error, unless more are wrong; wrong ones come first."""


class Outcome(StrEnum):
    """The result of a probe; ``ERROR`` means that the probe itself failed."""

    CONNECTED = "connected"
    BLOCKED = "blocked"
    ERROR = "error"


@dataclass(frozen=True)
class Observation:
    """The result of one connection.

    Attributes:
        outcome: connected, blocked, or error.
        client_address: the client's address as the server saw it; empty if unknown.
        reason: the probe's message.
    """

    outcome: Outcome
    client_address: str = ""
    reason: str = ""

    def __str__(self) -> str:
        seen = f" as {self.client_address}" if self.client_address else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.outcome}{seen}{why}"


@dataclass(frozen=True)
class Expectation:
    """The expected result of a connection, and why.

    Attributes:
        outcome: connected or blocked.
        client_addresses: the server has to see one of them as the client's; empty allows any.
        reason: why this is expected, for the table.
        answers: the probe's message has to be one of them; empty allows any.
    """

    outcome: Outcome
    client_addresses: frozenset[str] = frozenset()
    reason: str = ""
    answers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        seen = f" as {' or '.join(sorted(self.client_addresses))}" if self.client_addresses else ""
        answer = f" by the answer {' or '.join(sorted(self.answers))}" if self.answers else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.outcome}{seen}{answer}{why}"

    def met_by(self, observation: Observation | None) -> bool:
        """Return whether ``observation`` is the expected result; False without observation or for a broken probe."""
        if observation is None or observation.outcome is not self.outcome:
            return False
        if self.answers and observation.reason not in self.answers:
            return False
        return not self.client_addresses or observation.client_address in self.client_addresses


Pair = tuple[str, str]
Plan = Mapping[str, list[str]]
"""Source → its targets."""
Table = Mapping[Pair, Observation]
"""What was observed of each pair of source and target."""
Prober = Callable[[Plan], Table]
"""Probes what a plan asks for."""


@dataclass(frozen=True)
class Row:
    """One line of a truth table: a pair, the expected and the actual result as texts, and whether they match.

    ``outcome`` is the actual result; None if the pair was not probed.
    """

    source: str
    target: str
    expected: str
    found: str
    outcome: Outcome | None
    met: bool


class ReachabilityError(AssertionError):
    """A pair was not as expected; the text is the whole table, with marks on the wrong lines."""


class Reachability:
    """A truth table of connections.

    Args:
        title: the heading of its table.
        timeouts: of the machines.
    """

    def __init__(self, title: str, timeouts: Timeouts = USUAL) -> None:
        self.title = title
        self._timeouts = timeouts
        self.compared = False
        self._expected: dict[Pair, Expectation] = {}
        self._observed: Table = {}

    def __len__(self) -> int:
        return len(self._expected)

    def expect(
        self,
        source: str,
        target: str,
        outcome: Outcome,
        seen_as: Iterable[str] = (),
        *,
        reason: str = "",
        answers: Iterable[str] = (),
    ) -> None:
        """Declare the expected result of one pair.

        Args:
            source: the client's name.
            target: the server's name.
            outcome: connected or blocked.
            seen_as: addresses, one of which the server has to see as the client's; empty allows any.
            reason: why, for the table.
            answers: messages of the probe, such as ``refused``, one of which it has to give; empty allows any, also
                the silence of packets that somebody drops.

        Raises:
            ValueError: the pair was declared before, or ``outcome`` is an error.
        """
        if (source, target) in self._expected:
            raise ValueError(f"{self.title}: {source} → {target} is declared twice")
        if outcome is Outcome.ERROR:
            raise ValueError(f"{self.title}: {source} → {target}: a broken probe cannot be expected")
        self._expected[source, target] = Expectation(outcome, frozenset(seen_as), reason, frozenset(answers))

    def targets(self) -> dict[str, list[str]]:
        """Return source → its targets, in the order of declaration."""
        plan: dict[str, list[str]] = {}
        for source, target in self._expected:
            plan.setdefault(source, []).append(target)
        return plan

    def compare(self, observed: Table) -> None:
        """Compare the observations with the declared results.

        Raises:
            ReachabilityError: a pair differs, was not probed, or was probed but not declared.
            ValueError: no pair was declared, so the comparison could not fail.
        """
        if not self._expected:
            raise ValueError(f"{self.title}: nothing is expected, so nothing can be compared")
        self.compared, self._observed = True, observed
        rows = self.rows()
        if not all(row.met for row in rows):
            raise ReachabilityError("\n".join(self._table(rows)))

    def check(self, probe: Prober) -> None:
        """Probe every declared pair once and compare."""
        self.compare(probe(self.targets()))

    def settle(self, probe: Prober) -> None:
        """Call :meth:`check` for ``wait_until``: a difference means "not yet", a broken probe fails at once.

        Raises:
            NotReady: a pair differs; the reason is the table.
            ReachabilityError: a probe broke.
        """
        observed = probe(self.targets())
        try:
            self.compare(observed)
        except ReachabilityError as difference:
            if any(each.outcome is Outcome.ERROR for each in observed.values()):
                raise
            raise NotReady(str(difference)) from difference

    def wait(self, probe: Prober, *, timeout: float, successes: int = 1) -> None:
        """Probe until the table matches ``successes`` times in a row, since a cluster applies changes with a delay.

        Args:
            probe: tests all pairs again with new connections.
            timeout: seconds.
            successes: number of times.

        Raises:
            WaitTimeoutError: the table does not match in time; the text ends with the last table.
            ReachabilityError: a probe broke.
        """
        self._timeouts.wait_until(
            f"this holds: {self.title}", lambda: self.settle(probe), timeout=timeout, interval=0.1, successes=successes
        )

    def rows(self) -> list[Row]:
        """Return the table of the last comparison: declared pairs in order, then pairs that were not declared."""
        return [
            Row(
                *pair,
                "nothing" if expectation is None else str(expectation),
                "not probed" if found is None else str(found),
                None if found is None else found.outcome,
                expectation is not None and expectation.met_by(found),
            )
            for pair in dict.fromkeys((*self._expected, *self._observed))
            for expectation, found in [(self._expected.get(pair), self._observed.get(pair))]
        ]

    def _table(self, rows: Sequence[Row]) -> Iterator[str]:
        wrong = sum(not row.met for row in rows if (row.source, row.target) in self._expected)
        yield f"{self.title}: {wrong} of {len(self._expected)} connections are not as expected"
        lines = [(" ", "source", "target", "expected", "actual")]
        shown = sorted(rows, key=lambda row: row.met)[: max(MOST_LINES, sum(not row.met for row in rows))]
        lines += [(" " if row.met else "✗", row.source, row.target, row.expected, row.found) for row in shown]
        widths = [max(len(line[column]) for line in lines) for column in range(4)]
        for line in lines:
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
            yield f"{cells[0]} {'  '.join(cells[1:])}  {line[4]}"
        if left := len(rows) - len(shown):
            yield f"… and {left} more, which are as expected"


NewTable = Callable[[str], Reachability]
"""Makes a truth table by its title, as the fixture ``pg_reachability`` does."""
