"""Cases about who may connect: selectors of pods and namespaces, and addresses; each as ingress and as egress."""

from __future__ import annotations

from proving_ground.kubernetes.policies.catalogue.scene import FIRST
from proving_ground.kubernetes.policies.catalogue.words import (
    ALL,
    Field,
    block,
    both_ways,
    labels,
    namespaces,
    pods,
    port,
    where,
)
from proving_ground.kubernetes.policies.scene import NAME_LABEL

BY_POD: dict[str, list[Field]] = {
    "any pod of its own namespace": [pods(ALL)],
    "pods of its own namespace with a label": [pods(labels(pod="b"))],
    "pods with two labels": [pods(labels(pod="b", tier="back"))],
    "pods with two labels that none has together": [pods(labels(pod="c", tier="back"))],
    "pods whose label is one of two": [pods(where(("pod", "In", "a", "b")))],
    "pods whose label is not one value": [pods(where(("pod", "NotIn", "a")))],
    "pods whose label is not a value that some lack": [pods(where(("tier", "NotIn", "front")))],
    "pods that have a label": [pods(where(("tier", "Exists")))],
    "pods that lack a label": [pods(where(("tier", "DoesNotExist")))],
    "pods that meet two expressions": [pods(where(("tier", "Exists"), ("pod", "NotIn", "b")))],
    "pods that meet a label and an expression": [pods(where(("tier", "In", "front", "back"), pod="b"))],
    "pods of either of two labels": [pods(labels(pod="a")), pods(labels(pod="c"))],
}

BY_NAMESPACE: dict[str, list[Field]] = {
    "a namespace with a label": [namespaces(labels(ns="y"))],
    "a namespace by its name": [namespaces(labels(**{NAME_LABEL: "z"}))],
    "namespaces by their names": [namespaces(where((NAME_LABEL, "In", "x", "z")))],
    "namespaces but for one name": [namespaces(where((NAME_LABEL, "NotIn", "y")))],
    "namespaces whose label is one of two": [namespaces(where(("ns", "In", "x", "y")))],
    "namespaces whose label is not a value that some lack": [namespaces(where(("team", "NotIn", "red")))],
    "namespaces that have a label": [namespaces(where(("team", "Exists")))],
    "namespaces that lack a label": [namespaces(where(("team", "DoesNotExist")))],
    "a namespace that does not exist": [namespaces(labels(ns="nowhere"))],
    "all pods of a namespace, with both selectors": [namespaces(labels(ns="y"), ALL)],
    "pods with a label in every namespace": [namespaces(ALL, labels(pod="b"))],
    "pods with a label in a namespace with a label": [namespaces(labels(ns="y"), labels(pod="b"))],
    "pods and namespaces by expressions": [namespaces(where(("team", "Exists")), where(("tier", "Exists")))],
    "a namespace, or pods with a label": [namespaces(labels(ns="y")), pods(labels(pod="b"))],
    "pods with a label in its namespace and those in another": [
        pods(labels(pod="a")),
        namespaces(labels(ns="z"), labels(pod="c")),
    ],
}

BY_ADDRESS: dict[str, list[Field]] = {
    "one address": [block("{y/b}")],
    "two addresses": [block("{y/b}"), block("{z/c}")],
    "everywhere but for one address": [block("{x/a}/0", "{y/a}")],
    "everywhere but for two addresses": [block("{x/a}/0", "{y/a}", "{x/c}")],
    "everywhere but for a network": [block("{x/a}/0", "{y/b}/24")],
    "a network but for one address of it": [block("{y/b}/24", "{y/b}")],
    "an address, or pods with a label": [block("{z/a}"), pods(labels(pod="b"))],
    "an address, or a namespace": [block("{x/c}"), namespaces(labels(ns="z"))],
    "everywhere but for an address that a label allows": [block("{x/a}/0", "{x/b}", "{z/b}"), pods(labels(pod="b"))],
}

SAME = "what an exception takes from one peer is given by the other: nothing may change"

CASES = (
    *(case for group in (BY_POD, BY_NAMESPACE) for what, peers in group.items() for case in both_ways(what, peers)),
    *(case for what, peers in BY_ADDRESS.items() for case in both_ways(what, peers)),
    *both_ways(
        "everywhere but for an address that another peer allows", [block("{x/a}/0", "{y/a}"), block("{y/a}")], same=SAME
    ),
    *both_ways("pods of all namespaces at one port", [namespaces(ALL)], [port(FIRST)]),
    *both_ways("everywhere at one port", [block("{x/a}/0")], [port(FIRST)]),
)
