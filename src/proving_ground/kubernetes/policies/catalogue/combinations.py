"""Cases about several policies: they add up, none takes away what another allows, and both directions have to agree."""

from __future__ import annotations

from proving_ground.kubernetes.policies.catalogue.scene import FIRST, NAMESPACES, SECOND
from proving_ground.kubernetes.policies.catalogue.words import (
    EGRESS,
    INGRESS,
    block,
    case,
    labels,
    namespaces,
    pods,
    policy,
    port,
    rule,
)

SILENCE = "nobody may reach anybody; the table before is open"

OF_Y = rule(INGRESS, [namespaces(labels(ns="y"))])
TO_X = rule(EGRESS, [namespaces(labels(ns="x"))])
TO_Y = rule(EGRESS, [namespaces(labels(ns="y"))])

DENY_IN, DENY_OUT = policy(INGRESS, name="deny"), policy(EGRESS, name="deny-out")
ALL_IN = [policy(INGRESS, namespace=each, name="deny") for each in NAMESPACES]
ALL_OUT = [policy(EGRESS, namespace=each, name="deny-out") for each in NAMESPACES]

ADDED = (
    case("a denial and an allowance, which wins", DENY_IN, policy(INGRESS, OF_Y, name="allow")),
    case("an allowance whose name comes before the denial's", DENY_IN, policy(INGRESS, OF_Y, name="aaa")),
    case(
        "two allowances of one direction, which add up",
        policy(INGRESS, OF_Y, name="one"),
        policy(INGRESS, rule(INGRESS, [pods(labels(pod="b"))]), name="two"),
    ),
    case(
        "two allowances of ports, which add up",
        policy(INGRESS, rule(INGRESS, (), [port(FIRST)]), name="one"),
        policy(INGRESS, rule(INGRESS, (), [port(SECOND, protocol="UDP")]), name="two"),
    ),
    case(
        "an allowance for one pod among denied ones",
        DENY_IN,
        policy(INGRESS, {}, to=labels(pod="a"), name="allow"),
    ),
    case(
        "two policies that select overlapping pods",
        policy(INGRESS, OF_Y, to={"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, name="one"),
        policy(INGRESS, rule(INGRESS, (), [port(FIRST)]), to=labels(pod="b"), name="two"),
    ),
    case(
        "an exception of one block, which another policy allows",
        policy(INGRESS, rule(INGRESS, [block("{x/a}/0", "{y/a}", "{y/b}")]), name="one"),
        policy(INGRESS, rule(INGRESS, [block("{y/a}")]), name="two"),
    ),
    case(
        "an exception of one block, which a selector allows at one port",
        policy(INGRESS, rule(INGRESS, [block("{x/a}/0", "{y/a}")]), name="one"),
        policy(INGRESS, rule(INGRESS, [namespaces(labels(ns="y"), labels(pod="a"))], [port(FIRST)]), name="two"),
    ),
    case(
        "two allowances of egress, which add up",
        policy(EGRESS, TO_Y, name="one"),
        policy(EGRESS, rule(EGRESS, (), [port(FIRST)]), name="two"),
    ),
    case("a denial of egress and an allowance, which wins", DENY_OUT, policy(EGRESS, TO_Y, name="allow")),
    case("an allowance in another namespace, which changes nothing here", DENY_IN, policy(INGRESS, {}, namespace="y")),
)

BOTH = (
    case("no ingress anywhere", *ALL_IN, one_sided=SILENCE),
    case("no egress anywhere", *ALL_OUT, one_sided=SILENCE),
    case("neither direction anywhere", *ALL_IN, *ALL_OUT, one_sided=SILENCE),
    case("neither direction in one namespace", DENY_IN, DENY_OUT),
    case("egress that the server's ingress denies", policy(EGRESS, TO_X, namespace="y"), DENY_IN),
    case("ingress that the client's egress denies", policy(INGRESS, OF_Y), policy(EGRESS, namespace="y")),
    case(
        "a connection that both sides allow, among silence",
        *ALL_IN,
        *ALL_OUT,
        policy(INGRESS, OF_Y, name="allow"),
        policy(EGRESS, TO_X, namespace="y", name="allow-out"),
    ),
    case(
        "ports of which both sides allow only one",
        policy(INGRESS, rule(INGRESS, (), [port(FIRST, SECOND)])),
        policy(EGRESS, rule(EGRESS, [namespaces(labels(ns="x"))], [port(SECOND)]), namespace="y"),
    ),
    case(
        "a way out to one pod, and a way in from one pod",
        policy(INGRESS, rule(INGRESS, [namespaces(labels(ns="y"), labels(pod="b"))]), to=labels(pod="a")),
        policy(EGRESS, rule(EGRESS, [namespaces(labels(ns="x"), labels(pod="a"))]), to=labels(pod="b"), namespace="y"),
    ),
    case(
        "a way out within the namespace alone, and a way in at one port",
        policy(EGRESS, rule(EGRESS, [pods({})]), name="out"),
        policy(INGRESS, rule(INGRESS, (), [port(FIRST)]), name="in"),
    ),
    case(
        "one direction of a pair of pods: it may call and not be called",
        policy(INGRESS, to=labels(pod="a")),
        policy(EGRESS, {}, to=labels(pod="a"), name="out"),
    ),
)

CASES = (*ADDED, *BOTH)
