"""Short words for what cases are made of: selectors, peers, ports, policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from proving_ground.kubernetes.policies.cases import Case, Change, Manifest, Step, with_policies
from proving_ground.kubernetes.policies.policy import Direction

Field = dict[str, Any]

INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
ALL: Field = {}
"""The selector of everything, and the rule that allows everything."""


def labels(**wanted: str) -> Field:
    """A selector by labels."""
    return {"matchLabels": wanted}


def where(*expressions: tuple[str, str, *tuple[str, ...]], **wanted: str) -> Field:
    """A selector by expressions, each ``key, operator, values…``, and labels."""
    items = [
        {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
        for key, operator, *values in expressions
    ]
    return {"matchExpressions": items, **({"matchLabels": wanted} if wanted else {})}


def pods(selector: Field) -> Field:
    """A peer: pods of the policy's own namespace."""
    return {"podSelector": selector}


def namespaces(selector: Field, pod_selector: Field | None = None) -> Field:
    """A peer: pods of namespaces, all or those that a second selector finds."""
    return {"namespaceSelector": selector, **({} if pod_selector is None else {"podSelector": pod_selector})}


def block(cidr: str, *exceptions: str) -> Field:
    """A peer: addresses."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(exceptions)} if exceptions else {})}}


def port(number: int | str | None = None, end: int | None = None, protocol: str = "") -> Field:
    """A port, a range, or every port of a protocol."""
    given = {"protocol": protocol or None, "port": number, "endPort": end}
    return {key: value for key, value in given.items() if value is not None}


def rule(direction: Direction, peers: Sequence[Field] = (), ports: Sequence[Field] = ()) -> Field:
    """A rule; what is not given is missing in it."""
    key = "from" if direction is INGRESS else "to"
    return {**({key: list(peers)} if peers else {}), **({"ports": list(ports)} if ports else {})}


def policy(
    direction: Direction, *rules: Field, to: Field | None = None, namespace: str = "x", name: str = "tested"
) -> Manifest:
    """A policy of one direction; ``to`` selects the pods that it applies to, all of its namespace without it."""
    spec = {"podSelector": to or {}, "policyTypes": [str(direction)], direction.lower(): list(rules)}
    return manifest(spec, namespace, name)


def manifest(spec: Field, namespace: str = "x", name: str = "tested") -> Manifest:
    """A policy by its spec."""
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def case(
    name: str,
    *policies: Manifest,
    then: Sequence[tuple[str, Change]] = (),
    one_sided: str = "",
    unchanged: str = "",
) -> Case:
    """A case: its policies are created together, then changes follow, each with its words."""
    steps = [Step("with its policies", with_policies(*policies)), *(Step(*each) for each in then)]
    return Case(name, tuple(steps), one_sided, unchanged)


def both_ways(what: str, peers: Sequence[Field] = (), ports: Sequence[Field] = (), same: str = "") -> tuple[Case, Case]:
    """One rule as ingress to the pods of x, and as egress from them; ``same`` is the reason why it changes nothing."""
    ingress, egress = ("ingress from", "egress to") if peers else ("ingress to", "egress to")
    return (
        case(f"{ingress} {what}", policy(INGRESS, rule(INGRESS, peers, ports)), one_sided=same, unchanged=same),
        case(f"{egress} {what}", policy(EGRESS, rule(EGRESS, peers, ports)), one_sided=same, unchanged=same),
    )
