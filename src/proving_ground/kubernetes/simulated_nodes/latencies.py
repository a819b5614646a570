"""Measure how long the API server takes to write, while several clients write at the same time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from proving_ground.kubernetes.client import Kube


@dataclass(frozen=True)
class Latencies:
    """How long requests took.

    Attributes:
        milliseconds: of each request, by its verb.
        seconds: for how long clients wrote.
    """

    milliseconds: Mapping[str, Sequence[float]]
    seconds: float

    @property
    def all(self) -> list[float]:
        """The milliseconds of all requests."""
        return [each for found in self.milliseconds.values() for each in found]

    def percentile(self, percent: float) -> float:
        """Return the milliseconds that so many percent of all requests did not exceed."""
        return percentile(self.all, percent)

    @property
    def facts(self) -> dict[str, Any]:
        """The numbers for a report, in milliseconds."""
        return {
            "requests": len(self.all),
            "seconds": round(self.seconds, 1),
            **{f"milliseconds p{percent}": round(self.percentile(percent), 1) for percent in (50, 90, 99)},
            "milliseconds at most": round(max(self.all), 1),
            **{
                f"milliseconds p99 of {verb}": round(percentile(found, 99), 1)
                for verb, found in self.milliseconds.items()
            },
        }


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest of the values that so many percent of them do not exceed (the nearest rank).

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def measure_writes(kube: Kube, namespace: str, *, clients: int, seconds: float) -> Latencies:
    """Create, patch and delete ConfigMaps in a namespace, each client one request after the other.

    Args:
        kube: the cluster; each client has a connection of its own.
        namespace: where the ConfigMaps are made; none is left.
        clients: how many write at the same time.
        seconds: for how long.

    Raises:
        ApiException: a request was refused.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        found = list(threads.map(lambda name: _write(kube, namespace, name, began + seconds), range(clients)))
    taken = time.monotonic() - began
    verbs = ("create", "patch", "delete")
    return Latencies({verb: [each for one in found for each in one[verb]] for verb in verbs}, taken)


def _write(kube: Kube, namespace: str, number: int, end: float) -> dict[str, list[float]]:
    """Write as one client until then; return the milliseconds of its requests, by verb."""
    from kubernetes import client

    core = client.CoreV1Api(kube.api_client())
    found: dict[str, list[float]] = {"create": [], "patch": [], "delete": []}

    def timed(verb: str, request: Callable[..., object], *arguments: object) -> None:
        began = time.perf_counter()
        request(*arguments, _preload_content=False)
        found[verb].append((time.perf_counter() - began) * 1000)

    count = 0
    while time.monotonic() < end or not count:
        count += 1
        name = f"written-{number}-{count}"
        body = {"metadata": {"name": name}, "data": {"count": "0"}}
        timed("create", core.create_namespaced_config_map, namespace, body)
        timed("patch", core.patch_namespaced_config_map, name, namespace, {"data": {"count": "1"}})
        timed("delete", core.delete_namespaced_config_map, name, namespace)
    return found
