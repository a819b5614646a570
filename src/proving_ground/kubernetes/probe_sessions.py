"""Ask probe pods again and again by one command that stays open in each: a question costs no new process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.execution import ExecutionError
from proving_ground.kubernetes.probe_answers import ProbePod, broken, observed
from proving_ground.kubernetes.reachability import Plan, Table

SPARE = 15.0
"""Seconds that an answer may take beyond the time-out of its connections."""


class ProbeSession:
    """``probe connect --stdin`` in one pod, started with the first question and after an error anew.

    Args:
        kube: the cluster.
        pod: the client.
        timeout_ms: milliseconds after which a connection counts as blocked.
    """

    def __init__(self, kube: Kube, pod: ProbePod, timeout_ms: int) -> None:
        self._kube = kube
        self._pod = pod
        self._timeout = kube.timeouts.seconds(timeout_ms)
        self._session: Any = None
        self._turn = Lock()

    def ask(self, addresses: Sequence[str], timeout_ms: int | None = None) -> list[dict[str, Any]]:
        """Connect to all addresses at once, and return the probe's answers in their order; one caller at a time.

        A command that has answered before and does not any more is replaced once: the API server, through which its
        connection leads, may have restarted in the meantime.

        Args:
            addresses: of the targets.
            timeout_ms: instead of the session's own.

        Raises:
            ExecutionError: it does not run, or a new one gave no answer.
        """
        with self._turn:
            has_answered = self._session is not None
            try:
                return self._answers(addresses, timeout_ms)
            except ExecutionError:
                if not has_answered:
                    raise
                return self._answers(addresses, timeout_ms)

    def connect(
        self, source: str, targets: Sequence[str], addresses: Mapping[str, str], timeout_ms: int | None = None
    ) -> Table:
        """Return the truth table of the pod's connections; a broken probe is an error for every target.

        Args:
            source: the pod's name in the table.
            targets: the targets' names in the table.
            addresses: target's name → ``host:port`` or ``protocol:host:port``.
            timeout_ms: instead of the session's own.
        """
        try:
            return observed(source, targets, self.ask([addresses[target] for target in targets], timeout_ms))
        except ExecutionError as error:
            return broken(source, targets, error)

    def _answers(self, addresses: Sequence[str], timeout_ms: int | None) -> list[dict[str, Any]]:
        try:
            if self._session is None:
                command = ["probe", "connect", "--stdin", f"--timeout={round(self._timeout)}ms"]
                self._session = self._kube.session(self._pod.namespace, self._pod.name, command, stdin=True)
            milliseconds = self._timeout if timeout_ms is None else self._kube.timeouts.seconds(timeout_ms)
            own = [] if timeout_ms is None else [f"timeout={round(milliseconds)}ms"]
            self._session.write_stdin(" ".join([*own, *addresses]) + "\n")
            seconds = milliseconds / 1000 + self._kube.timeouts.seconds(SPARE)
            answers: list[dict[str, Any]] = json.loads(self._session.readline_stdout(timeout=seconds))
        except Exception as error:  # of the websocket, of its socket, of JSON
            complaint = self._complaint()
            self.close()
            if isinstance(error, ExecutionError):
                raise
            where = f"{self._pod.namespace}/{self._pod.name}"
            raise ExecutionError(f"{where}: the probe gave no answer: {complaint or error}") from error
        return answers

    def _complaint(self) -> str:
        """Return what the probe wrote to its standard error, in one line."""
        return " ".join(str(self._session.read_stderr(timeout=0)).split()) if self._session is not None else ""

    def close(self) -> None:
        """End the command, without waiting for the API server's farewell: its machine may be gone."""
        session, self._session = self._session, None
        if session is not None:
            session.close(timeout=0)


class ProbeSessions:
    """Sessions of many pods, asked at the same time; a :data:`~.reachability.Prober` when it is called.

    Args:
        kube: the cluster.
        pods: source's name in the truth table → its pod.
        addresses: target's name in the truth table → ``host:port`` or ``protocol:host:port``.
        timeout_ms: milliseconds after which a connection counts as blocked.
    """

    def __init__(self, kube: Kube, pods: Mapping[str, ProbePod], addresses: Mapping[str, str], timeout_ms: int) -> None:
        self._sessions = {source: ProbeSession(kube, pod, timeout_ms) for source, pod in pods.items()}
        self._addresses = addresses
        self._threads = ThreadPoolExecutor(max(1, len(pods)))

    def __call__(self, plan: Plan) -> Table:
        """Test the connections from each source to its targets."""
        return self.within(plan, None)

    def within(self, plan: Plan, timeout_ms: int | None) -> Table:
        """Test them with another time-out, in milliseconds; None for the usual one."""
        found = self._threads.map(
            lambda source: self._sessions[source].connect(source, plan[source], self._addresses, timeout_ms), plan
        )
        return {pair: observation for each in found for pair, observation in each.items()}

    def close(self) -> None:
        """End all commands."""
        self._threads.shutdown()
        for session in self._sessions.values():
            session.close()
