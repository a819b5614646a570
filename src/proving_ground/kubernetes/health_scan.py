"""Find what is wrong with containers although all tests passed: restarts, crash loops, panics, no pin, needless root.

Deleted pods do not count as restarts. The scan ignores a kubelet's events about the machine's memory: the kubelet reads
them from the kernel's log, which containers share with the whole host. Logs of removed pods are gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from proving_ground.diagnostics.collectors import on_machine
from proving_ground.diagnostics.findings import Finding, HealthCheck, UnreadableError
from proving_ground.diagnostics.journal import Entry, panics
from proving_ground.kubernetes import workload_findings
from proving_ground.kubernetes.failure_evidence import by_kubectl
from proving_ground.kubernetes.pods import ended_with_machine
from proving_ground.plugin.run import run_of

OBJECTS = """
"$KUBECTL" --kubeconfig "$KUBECONFIG" --request-timeout {seconds:.0f}s get pods,events --all-namespaces --output json
"""

LOGS = r"""
cd /var/log/pods || exit 1
find . -name '*.log' -exec grep -HE ' [FP] (.*anic|[[:space:]]*(fatal error|goroutine [0-9]))' {} +
echo all=told
"""

LINE = re.compile(r"\./(?P<pod>[^/]+)_[^_/]+/(?P<container>[^/]+)/\d+\.log:(?P<time>\S+) \w+ [FP] (?P<text>.*)")
"""A line of grep's output: the log's path namespace_pod_uid/container/restart.log, then time, stream, tag and text."""


def pytest_proving_ground_health_checks(config: pytest.Config) -> list[HealthCheck]:
    """Return checks of the API server (containers and events) and of every node (its containers' logs)."""
    run = run_of(config)
    settings, topology = run.settings, run.topology
    api = by_kubectl(settings, "cluster", OBJECTS.format(seconds=run.timeouts.seconds(3)))
    named = config.hook.pytest_proving_ground_kubernetes_nodes(config=config)
    nodes = (named or [node.name for node in topology.nodes]) if api else []
    return [
        *(HealthCheck("cluster", "containers and events", look, objects) for look in api),
        *(
            HealthCheck(name, "logs of pods", on_machine(settings, name, name, LOGS), partial(logs, name))
            for name in nodes
        ),
    ]


def objects(shown: str) -> Iterator[Finding]:
    """Yield the findings in kubectl's JSON of pods and events; raises ValueError if it is invalid."""
    for item in json.loads(shown)["items"]:
        if item["kind"] == "Event":
            yield from _event(item)
        else:
            yield from _pod(item)
            yield from workload_findings.of_pod(item)


def _pod(pod: dict[str, Any]) -> Iterator[Finding]:
    name, host = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", pod["spec"].get("nodeName") or "no node"
    status = pod.get("status") or {}
    first = status.get("initContainerStatuses") or []
    for container in [*first, *(status.get("containerStatuses") or [])]:
        subject = f"{name} {container['name']}"
        last = (container.get("lastState") or {}).get("terminated") or {}
        count = container.get("restartCount", 0)
        if ended_with_machine(last.get("exitCode"), last.get("reason")):
            count -= 1
        if container in first and last.get("exitCode") == 0:
            count = 0  # an init container runs again whenever its pod restarts
        if count > 0:
            yield Finding(host, "container restarted", subject, _end(last) if last else "(no reason given)", count)
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            yield Finding(host, "out of memory", subject, _end(ended))


def _end(terminated: dict[str, Any]) -> str:
    words = f"ended with {terminated.get('exitCode')}: {terminated.get('reason', 'no reason')}"
    return f"{words}: {terminated['message']}" if terminated.get("message") else words


def _event(event: dict[str, Any]) -> Iterator[Finding]:
    # Failed image pulls have the same reason; they are no finding after a green run.
    if event.get("reason") != "BackOff" or "restarting failed container" not in event.get("message", ""):
        return
    about = event["involvedObject"]
    host = (event.get("source") or {}).get("host") or event.get("reportingInstance") or "cluster"
    count = event.get("count") or (event.get("series") or {}).get("count") or 1
    yield Finding(host, "crash loop", f"{about.get('namespace')}/{about.get('name')}", event["message"], count)


def logs(host: str, shown: str) -> Iterator[Finding]:
    """Yield panics in the output of :data:`LOGS` on ``host``; raises UnreadableError if the output is cut off."""
    lines = shown.splitlines()
    found = [match for line in lines if (match := LINE.match(line))]
    yield from panics(
        host,
        [
            Entry(
                f"{match['pod'].replace('_', '/', 1)} {match['container']}",
                "",
                "",
                datetime.fromisoformat(match["time"]).timestamp(),
                match["text"],
            )
            for match in found
        ],
    )
    if "all=told" not in lines:
        raise UnreadableError("missing in the output: the end")
