"""Run probe pods on nodes: each is a server, and connects to many targets in one call; all run at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.execution import ExecutionError
from proving_ground.kubernetes.pods import pod_manifest, wait_for_pods
from proving_ground.kubernetes.policies.scene import Port
from proving_ground.kubernetes.probe_answers import ProbePod
from proving_ground.kubernetes.probe_sessions import ProbeSession
from proving_ground.kubernetes.reachability import Outcome, Plan, Prober, Table

PORTS = (8080, 8081)
"""The ports of a probe pod; two, so that tests of network policies can allow one and block the other."""

NODE_PORT = 28080
"""The port of a probe in a node's own network; other xdist workers of a run use the next ports."""

CONNECT_TIMEOUT_MS = 1000
"""Milliseconds after which a connection counts as blocked; an allowed one takes less than ten."""

CARRY_TIMEOUT = 5.0
"""Seconds for bytes there and back: the kernel sends lost packets again."""

PARALLEL = 16

ANYWHERE = [{"operator": "Exists"}]
"""Tolerates every taint, so that probes also run on masters."""


@dataclass(frozen=True)
class Lookup:
    """The result of a DNS lookup in a pod: ``found``, ``not found`` or ``error``, sorted answers, and the reason."""

    outcome: str
    answers: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Cargo:
    """What became of bytes that a probe sent to another one, which had to send them back.

    Attributes:
        outcome: connected if all came back, blocked if some were lost, error if the probe failed.
        path_mtu: bytes of the largest packet that the kernel sends on this way, headers included; 0 if unknown.
        reason: how many came back, and why no more.
    """

    outcome: Outcome
    path_mtu: int = 0
    reason: str = ""


class Probes:
    """Starts probe pods and runs commands in them.

    Args:
        kube: the cluster.
        image: the probe's image.
        node_port: port of probes in a node's own network; two probes on a node cannot have the same port.
        pull: the ``imagePullPolicy``; images of the depot are on every node and never pulled.
    """

    def __init__(self, kube: Kube, image: str, node_port: int = NODE_PORT, *, pull: str = "Never") -> None:
        self._kube = kube
        self.image = image
        self.node_port = node_port
        self._pull = pull
        self.pods: dict[str, ProbePod] = {}
        self._sessions: dict[ProbePod, ProbeSession] = {}

    def close(self) -> None:
        """End the commands that are open in pods."""
        for session in self._sessions.values():
            session.close()

    def manifest(
        self,
        name: str,
        node: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        host_network: bool = False,
        ports: Sequence[Port] = (),
    ) -> dict[str, Any]:
        """Return a probe pod's manifest; the pod is Ready when it serves, and has the label ``probe: NAME``, too.

        Args:
            name: the pod's name.
            node: the node to run it; empty lets the scheduler choose.
            labels: further labels.
            host_network: whether it uses its node's network, with one port.
            ports: what it serves, of which the first is a TCP port; :data:`PORTS` without any.
        """
        served = list(ports) or [Port(number) for number in ((self.node_port,) if host_network else PORTS)]
        health = {
            "httpGet": {"path": "/healthz", "port": served[0].number},
            # On slow machines, a probe every second would itself make answers take longer than a second.
            "periodSeconds": max(1, round(self._kube.timeouts.seconds(0.25))),
            "timeoutSeconds": round(self._kube.timeouts.seconds(1)),
            "failureThreshold": 1,
        }
        container: dict[str, Any] = {
            "args": ["serve", *(f"--port={port}" for port in served)],
            "readinessProbe": health,
            "imagePullPolicy": self._pull,
        }
        if ports:
            container["ports"] = [
                {
                    "containerPort": port.number,
                    "protocol": str(port.protocol),
                    **({"name": port.name} if port.name else {}),
                }
                for port in ports
            ]
        return pod_manifest(
            name,
            self.image,
            labels={"probe": name, **(labels or {})},
            node=node,
            hostNetwork=host_network,
            tolerations=ANYWHERE,
            container=container,
        )

    def start(self, wanted: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[ProbePod]:
        """Create pods at the same time, and wait until they are ready.

        Args:
            wanted: namespace → manifests from :meth:`manifest`; all pods' names have to differ.

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
        """Return a function that tests the connections of a truth table whose sources are probe pods.

        Args:
            addresses: target's name in the table → ``host:port``.
            timeout_ms: milliseconds after which a connection counts as blocked.
        """

        def probe(plan: Plan) -> Table:
            with ThreadPoolExecutor(PARALLEL) as threads:
                found = threads.map(
                    lambda source: self._session(source).connect(source, plan[source], addresses, timeout_ms), plan
                )
                return {pair: observation for each in found for pair, observation in each.items()}

        return probe

    def _session(self, source: str) -> ProbeSession:
        pod = self.pods[source]
        return self._sessions.setdefault(pod, ProbeSession(self._kube, pod, CONNECT_TIMEOUT_MS))

    def carry(
        self, source: str, targets: Mapping[str, str], size: int, timeout: float = CARRY_TIMEOUT
    ) -> dict[str, Cargo]:
        """Send bytes from a probe pod to others, which send them back, to all at the same time.

        Args:
            source: the pod.
            targets: target's name → ``host:port``.
            size: bytes to each; more than a packet takes, if large packets are in question.
            timeout: seconds in which all of them have to be back.

        Raises:
            ExecutionError: the probe did not run.
        """
        limit = f"--timeout={round(self._kube.timeouts.seconds(timeout * 1000))}ms"
        answers = self._ask(source, ["carry", "--json", limit, f"--bytes={size}", *targets.values()])
        return {
            target: Cargo(Outcome(answer["outcome"]), answer.get("path_mtu", 0), answer.get("reason", ""))
            for target, answer in zip(targets, answers, strict=True)
        }

    def look_up(self, source: str, *questions: str, reverse: bool = False, by_tcp: bool = False) -> dict[str, Lookup]:
        """Look up names with a pod's resolver.

        Args:
            source: the pod.
            questions: names, or addresses with ``reverse``.
            reverse: whether to look up the names of addresses.
            by_tcp: whether to ask the name server by TCP, as resolvers do for long answers.

        Raises:
            ExecutionError: the probe did not run.
        """
        flags = [flag for flag, given in (("--reverse", reverse), ("--tcp", by_tcp)) if given]
        answers = self._ask(source, ["lookup", "--json", *flags, *questions])
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
