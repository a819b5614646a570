"""Run cases on a stage: bring it to each state, and wait until every connection is as the model says."""

from __future__ import annotations

from collections.abc import Callable

from proving_ground.core.errors import UsageError
from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.policies.cases import Case, State, is_same
from proving_ground.kubernetes.policies.scene import Protocol
from proving_ground.kubernetes.policies.stage import Stage
from proving_ground.kubernetes.reachability import NewTable, Outcome, Reachability

TIMEOUT = 15.0
"""Seconds in which every node has to apply a change."""

GLANCE_MS = 100
"""Milliseconds after which a connection counts as blocked at the first glance. Nodes need about as long to apply a
change: a first look with the usual time-out would come too early, and take as long as the one that finds it applied."""

UNCHANGED = 3
"""How often a table has to hold that was the same before the change: an effect that comes late has to show."""


class PolicyRunner:
    """Runs cases one after the other on the same pods.

    Args:
        stage: the pods.
        table: makes a truth table by its title.
        wrong: is given each table that did not hold.
    """

    def __init__(
        self,
        stage: Stage,
        table: NewTable = Reachability,
        wrong: Callable[[Reachability], None] = lambda _: None,
    ) -> None:
        self._stage = stage
        self._table = table
        self._wrong = wrong
        self._open = stage.state

    def lacking(self, case: Case) -> set[Protocol]:
        """Return the protocols that the case is about and that the nodes' kernels lack."""
        return case.protocols(self._open) - {port.protocol for pod in self._open.scene.pods for port in pod.ports}

    def check(self, case: Case) -> None:
        """Show all connections open, then each state of the case; leave the cluster without policies.

        Raises:
            UsageError: the case would show nothing on this cluster.
            WaitTimeoutError: a connection is not as the model says; the text has the table, wrong lines first.
            ReachabilityError: a probe broke.
        """
        states = case.states(self._open)
        if flaws := case.flaws(self._open, states):
            raise UsageError("; ".join(flaws), where=f"case {case.name!r}", hint="state why, or change it")
        self._show(f"{case}: open before", self._open)
        before = self._open
        try:
            for what, state in states:
                self._stage.become(state)
                self._show(f"{case}: {what}", state, UNCHANGED if is_same(before, state) else 1)
                before = state
        finally:
            self._stage.become(self._open)

    def _show(self, title: str, state: State, successes: int = 1) -> None:
        """Wait until the truth table of a state holds."""
        table = self._table(title)
        for connection, verdict in state.verdicts.items():
            outcome = Outcome.CONNECTED if verdict.allowed else Outcome.BLOCKED
            client, server = connection.client, connection.server
            reason = f"{client.node} → {server.node}: {verdict.reason}"
            table.expect(str(client), f"{server} {connection.port}", outcome, reason=reason)
        is_open = all(verdict.allowed for verdict in state.verdicts.values())
        if self._holds_at_a_glance(table) and is_open and successes == 1:
            return  # a connection that is there needs no second look
        try:
            table.wait(self._stage.ask, timeout=TIMEOUT, successes=successes)
        except AssertionError:
            self._wrong(table)
            raise

    def _holds_at_a_glance(self, table: Reachability) -> bool:
        """Return whether the table holds now, by a time-out that is too short to prove a connection blocked."""
        try:
            table.settle(lambda plan: self._stage.ask.within(plan, GLANCE_MS))
        except NotReady:
            return False
        return True
