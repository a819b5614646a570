"""Find containers that died or panicked although all tests passed: restarts, crash loops, stacks in logs.

Deleted pods are no restarts. Events of kubelets about the machine's memory are not taken: a kubelet reads them in the
kernel's log, which in a container is everybody's. Logs of pods that are gone cannot be asked any more.
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
"""A container's log as grep shows it: namespace_pod_uid/container/restart.log, and in it time, stream, tag and text."""


def pytest_proving_ground_health_checks(config: pytest.Config) -> list[HealthCheck]:
    """The API server, of containers and events; every node, of what its containers have written."""
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
    """The findings in pods and events as kubectl shows them; raises ValueError when that is no JSON."""
    for item in json.loads(shown)["items"]:
        yield from _event(item) if item["kind"] == "Event" else _pod(item)


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
            count = 0  # it has done its work, and does it again whenever its pod starts anew
        if count > 0:
            yield Finding(host, "container restarted", subject, _end(last) if last else "(no word of why)", count)
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            yield Finding(host, "out of memory", subject, _end(ended))


def _end(terminated: dict[str, Any]) -> str:
    words = f"ended with {terminated.get('exitCode')}: {terminated.get('reason', 'no reason')}"
    return f"{words}: {terminated['message']}" if terminated.get("message") else words


def _event(event: dict[str, Any]) -> Iterator[Finding]:
    # The same reason is given for images that cannot be pulled, which no green run has to care about.
    if event.get("reason") != "BackOff" or "restarting failed container" not in event.get("message", ""):
        return
    about = event["involvedObject"]
    host = (event.get("source") or {}).get("host") or event.get("reportingInstance") or "cluster"
    count = event.get("count") or (event.get("series") or {}).get("count") or 1
    yield Finding(host, "crash loop", f"{about.get('namespace')}/{about.get('name')}", event["message"], count)


def logs(host: str, shown: str) -> Iterator[Finding]:
    """Panics in what :data:`LOGS` has shown on ``host``; raises UnreadableError when that has no end."""
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
        raise UnreadableError("not told by the machine: the end")
