"""Find DaemonSets that would run on simulated nodes, as one that tolerates every taint does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from proving_ground.kubernetes.simulated_nodes.manifests import TAINT

Spec = Mapping[str, Any]
"""A part of a manifest, as JSON."""


def that_want(daemon_sets: Iterable[Spec], node: Spec) -> list[str]:
    """Return the names of the DaemonSets that would run on a node, as namespace/name.

    Args:
        daemon_sets: as JSON.
        node: the node's manifest.
    """
    labels = {**node["metadata"]["labels"]}
    return [
        f"{each['metadata'].get('namespace')}/{each['metadata']['name']}"
        for each in daemon_sets
        if _tolerates(each["spec"]["template"]["spec"]) and _fits(each["spec"]["template"]["spec"], labels)
    ]


def _tolerates(pod: Spec) -> bool:
    """Return whether a pod tolerates the taint of simulated nodes."""
    return any(
        each.get("key") in {None, "", TAINT["key"]}
        and each.get("effect") in {None, "", TAINT["effect"]}
        and (each.get("operator") == "Exists" or each.get("value") == TAINT["value"])
        for each in pod.get("tolerations") or ()
    )


def _fits(pod: Spec, labels: Mapping[str, str]) -> bool:
    """Return whether a pod's selector and required affinity allow a node with these labels."""
    if any(labels.get(key) != value for key, value in (pod.get("nodeSelector") or {}).items()):
        return False
    affinity = ((pod.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not affinity:
        return True
    return any(
        all(_holds(rule, labels) for rule in term.get("matchExpressions") or ())
        for term in affinity.get("nodeSelectorTerms") or ()
    )


def _holds(rule: Spec, labels: Mapping[str, str]) -> bool:
    """Return whether an expression holds; those about numbers never do, since a simulated node has no such label."""
    value = labels.get(rule["key"])
    values = rule.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(rule["operator"], False)
