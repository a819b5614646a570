"""Cases about the pods and directions that a policy applies to: its selector, its types, empty and missing fields."""

from __future__ import annotations

from proving_ground.kubernetes.policies.catalogue.words import (
    ALL,
    EGRESS,
    INGRESS,
    Field,
    case,
    labels,
    manifest,
    policy,
    port,
    where,
)

SELECTED: dict[str, Field] = {
    "all pods of a namespace": ALL,
    "a pod by its label": labels(pod="a"),
    "pods whose label is one of two": where(("pod", "In", "a", "c")),
    "pods whose label is not one value": where(("pod", "NotIn", "a")),
    "pods that have a label": where(("tier", "Exists")),
    "pods that lack a label": where(("tier", "DoesNotExist")),
    "pods that meet a label and an expression": where(("tier", "Exists"), pod="b"),
}

NOBODY = "it selects no pod: nothing may change"
OPEN = "an empty rule allows everything: nothing may change"
ONE_PORT = [{"ports": [port(9999)]}]

TYPES: dict[str, Field] = {
    "without types and rules isolates ingress": {},
    "without types, with an empty list of egress, isolates ingress alone": {"egress": []},
    "without types, with a rule of egress, isolates both directions": {"egress": ONE_PORT},
    "without types, with rules of both, isolates both directions": {"ingress": ONE_PORT, "egress": ONE_PORT},
    "of type Egress leaves its rule of ingress unused": {"policyTypes": ["Egress"], "ingress": ONE_PORT},
    "of type Ingress leaves its rule of egress unused": {"policyTypes": ["Ingress"], "egress": ONE_PORT},
    "of both types without rules isolates both directions": {"policyTypes": ["Ingress", "Egress"]},
    "of both types may open one of them": {"policyTypes": ["Ingress", "Egress"], "egress": [{}]},
}

CASES = (
    *(
        case(f"no {direction.lower()} for {what}", policy(direction, to=selector))
        for direction in (INGRESS, EGRESS)
        for what, selector in SELECTED.items()
    ),
    *(case(f"a policy {what}", manifest({"podSelector": {}, **spec})) for what, spec in TYPES.items()),
    case("a policy without a selector", manifest({"policyTypes": ["Ingress"]})),
    case("no ingress in a namespace that has no policy", policy(INGRESS, namespace="z")),
    *(
        case(
            f"no {direction.lower()} for a pod that does not exist",
            policy(direction, to=labels(pod="nobody")),
            one_sided=NOBODY,
            unchanged=NOBODY,
        )
        for direction in (INGRESS, EGRESS)
    ),
    *(
        case(f"{direction.lower()} by an empty rule", policy(direction, {}), one_sided=OPEN, unchanged=OPEN)
        for direction in (INGRESS, EGRESS)
    ),
    case(
        "ingress by an empty list of peers",
        manifest({"podSelector": {}, "ingress": [{"from": [], "ports": [port(8080)]}]}),
    ),
    case(
        "egress by an empty list of ports",
        manifest(
            {
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"namespaceSelector": labels(ns="y")}], "ports": []}],
            }
        ),
    ),
)
