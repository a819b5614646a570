"""Run probe pods on nodes: each serves, and connects to many targets in one go, all at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.client import ExecutionError, Kube
from proving_ground.kubernetes.pods import pod_manifest, wait_for_pods
from proving_ground.kubernetes.reachability import Observation, Outcome, Pair, Prober

PORTS = (8080, 8081)
"""Where a probe pod serves; two, so that a policy can tell ports apart."""

NODE_PORT = 28080
"""Where a probe in a node's own network serves; further workers of a run take the ports after it."""

CONNECT_TIMEOUT_MS = 1000
"""Milliseconds after which a connection counts as blocked; an open one takes less than ten."""

PARALLEL = 16

ANYWHERE = [{"operator": "Exists"}]
"""Tolerates every taint: a probe goes to masters as well."""


@dataclass(frozen=True)
class ProbePod:
    """A pod that runs the probe: name, namespace, node, address, and whether it is in its node's network."""

    name: str
    namespace: str
    node: str
    address: str
    host_network: bool = False


@dataclass(frozen=True)
class Lookup:
    """What a pod's resolver said: ``found``, ``not found`` or ``error``, the sorted answers, and the reason."""

    outcome: str
    answers: tuple[str, ...]
    reason: str = ""


class Probes:
    """Starts probe pods and asks them.

    Args:
        kube: the cluster.
        image: of the probe.
        node_port: where probes in a node's own network serve; no two of a node can have the same.
    """

    def __init__(self, kube: Kube, image: str, node_port: int = NODE_PORT) -> None:
        self._kube = kube
        self.image = image
        self.node_port = node_port
        self.pods: dict[str, ProbePod] = {}

    def manifest(
        self, name: str, node: str = "", *, labels: Mapping[str, str] | None = None, host_network: bool = False
    ) -> dict[str, Any]:
        """A probe pod, ready when it serves; labelled ``probe: NAME`` besides ``labels``."""
        ports = (self.node_port,) if host_network else PORTS
        arguments = ["serve", *(f"--port={port}" for port in ports)]
        health = {
            "httpGet": {"path": "/healthz", "port": ports[0]},
            # Where all is slow, asking every second is what makes an answer take longer than one.
            "periodSeconds": max(1, round(self._kube.timeouts.seconds(0.25))),
            "timeoutSeconds": round(self._kube.timeouts.seconds(1)),
            "failureThreshold": 1,
        }
        return pod_manifest(
            name,
            self.image,
            labels={"probe": name, **(labels or {})},
            node=node,
            hostNetwork=host_network,
            tolerations=ANYWHERE,
            container={"args": arguments, "readinessProbe": health},
        )

    def start(self, wanted: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[ProbePod]:
        """Create pods all at once, and wait until they are ready.

        Args:
            wanted: namespace → manifests as made by :meth:`manifest`; names have to differ from those of all others.

        Returns:
            The pods, namespace by namespace, in the order of ``wanted``.
        """
        pairs = [(namespace, manifest) for namespace, manifests in wanted.items() for manifest in manifests]
        with ThreadPoolExecutor(PARALLEL) as threads:
            list(threads.map(lambda pair: self._kube.core.create_namespaced_pod(*pair), pairs))
        for namespace, manifests in wanted.items():
            present = sum(pod.namespace == namespace for pod in self.pods.values())
            for pod in wait_for_pods(self._kube, namespace, present + len(manifests)):
                self.pods[pod.metadata.name] = ProbePod(
                    pod.metadata.name, namespace, pod.spec.node_name, pod.status.pod_ip, bool(pod.spec.host_network)
                )
        return [self.pods[manifest["metadata"]["name"]] for _, manifest in pairs]

    def prober(self, addresses: Mapping[str, str], timeout_ms: int = CONNECT_TIMEOUT_MS) -> Prober:
        """What fills a truth table whose sources are probe pods.

        Args:
            addresses: target as the table names it → ``host:port``.
            timeout_ms: milliseconds after which a connection is blocked.
        """

        def probe(plan: Mapping[str, list[str]]) -> Mapping[Pair, Observation]:
            with ThreadPoolExecutor(PARALLEL) as threads:
                found = threads.map(lambda source: self._connect(source, plan[source], addresses, timeout_ms), plan)
                return {pair: observation for each in found for pair, observation in each.items()}

        return probe

    def _connect(
        self, source: str, targets: Sequence[str], addresses: Mapping[str, str], timeout_ms: int
    ) -> dict[Pair, Observation]:
        limit = f"--timeout={round(self._kube.timeouts.seconds(timeout_ms))}ms"
        words = ["connect", "--json", limit, *(addresses[target] for target in targets)]
        try:
            answers = self._ask(source, words)
        except ExecutionError as error:
            return {(source, target): Observation(Outcome.ERROR, reason=str(error)) for target in targets}
        return {
            (source, target): Observation(
                Outcome(answer["outcome"]), answer.get("client_address", ""), answer.get("reason", "")
            )
            for target, answer in zip(targets, answers, strict=True)
        }

    def look_up(self, source: str, *questions: str, reverse: bool = False) -> dict[str, Lookup]:
        """Ask the resolver of a pod.

        Args:
            source: the pod.
            questions: names, or addresses with ``reverse``.
            reverse: whether names are wanted for addresses.

        Raises:
            ExecutionError: the probe could not ask.
        """
        answers = self._ask(source, ["lookup", "--json", *(["--reverse"] if reverse else []), *questions])
        return {
            question: Lookup(answer["outcome"], tuple(answer["answers"]), answer.get("reason", ""))
            for question, answer in zip(questions, answers, strict=True)
        }

    def _ask(self, source: str, words: Sequence[str]) -> list[dict[str, Any]]:
        pod = self.pods[source]
        done = self._kube.execute(pod.namespace, pod.name, ["probe", *words])
        if done.exit_code != 0:
            raise ExecutionError(f"{pod.namespace}/{pod.name}: probe ended with {done.exit_code}: {done.stderr}")
        try:
            answers: list[dict[str, Any]] = json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise ExecutionError(f"{pod.namespace}/{pod.name}: the probe's answer is no JSON: {error}") from error
        return answers
