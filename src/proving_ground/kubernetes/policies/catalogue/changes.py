"""Cases about what changes under a policy: labels of pods and namespaces, and the policies themselves.

Every step is shown by new connections. What happens to a connection that was open before is left to implementations by
the specification, so no case asks for it.
"""

from __future__ import annotations

from proving_ground.kubernetes.policies.cases import namespace_labels, pod_labels, with_policies, without_policy
from proving_ground.kubernetes.policies.catalogue.scene import FIRST, LABELS, NAMESPACES, SECOND
from proving_ground.kubernetes.policies.catalogue.words import (
    EGRESS,
    INGRESS,
    block,
    case,
    labels,
    manifest,
    namespaces,
    pods,
    policy,
    port,
    rule,
    where,
)

PODS = (
    *(
        case(
            f"{word} pods with a label, which a pod gets and loses",
            policy(direction, rule(direction, [namespaces({}, labels(friend="yes"))])),
            then=[
                ("y/a has the label", pod_labels("y/a", **LABELS["a"], friend="yes")),
                ("y/a has lost it", pod_labels("y/a", **LABELS["a"])),
            ],
        )
        for direction, word in ((INGRESS, "ingress from"), (EGRESS, "egress to"))
    ),
    *(
        case(
            f"no {direction.lower()} for pods with a label, which a pod gets and loses",
            policy(direction, to=labels(closed="yes")),
            then=[
                ("x/a has the label", pod_labels("x/a", **LABELS["a"], closed="yes")),
                ("x/a has lost it", pod_labels("x/a", **LABELS["a"])),
            ],
            one_sided="no pod has the label before and after",
            unchanged="no pod has the label at first",
        )
        for direction in (INGRESS, EGRESS)
    ),
    case(
        "a label's value that changes from one that is allowed",
        policy(INGRESS, rule(INGRESS, [pods(labels(tier="back"))])),
        then=[("x/b is of another tier", pod_labels("x/b", pod="b", tier="front"))],
    ),
    case(
        "a label that moves from one pod to another",
        policy(INGRESS, rule(INGRESS, [pods(where(("tier", "Exists")))])),
        then=[
            ("x/c has it", pod_labels("x/c", pod="c", tier="any")),
            ("x/a has it no more", pod_labels("x/a", pod="a")),
        ],
    ),
    case(
        "a pod that is selected no more, and another that is",
        policy(INGRESS, to=labels(pod="a")),
        then=[
            ("x/a is another", pod_labels("x/a", pod="c")),
            ("x/b is what x/a was", pod_labels("x/b", pod="a")),
        ],
        one_sided="no pod is selected between the steps",
    ),
)

OF_NAMESPACES = (
    *(
        case(
            f"{word} namespaces with a label, which one gets and loses",
            policy(direction, rule(direction, [namespaces(labels(friend="yes"))])),
            then=[
                ("z has the label", namespace_labels("z", **NAMESPACES["z"], friend="yes")),
                ("z has lost it", namespace_labels("z", **NAMESPACES["z"])),
            ],
        )
        for direction, word in ((INGRESS, "ingress from"), (EGRESS, "egress to"))
    ),
    case(
        "namespaces that lack a label, until one gets it",
        policy(INGRESS, rule(INGRESS, [namespaces(where(("team", "DoesNotExist")))])),
        then=[("z has a team", namespace_labels("z", ns="z", team="green"))],
    ),
    case(
        "pods with a label in namespaces with a label, which change one after the other",
        policy(INGRESS, rule(INGRESS, [namespaces(labels(team="blue"), labels(pod="b"))])),
        then=[
            ("z is of the team", namespace_labels("z", ns="z", team="blue")),
            ("z/c is the pod", pod_labels("z/c", pod="b")),
            ("y is of another team", namespace_labels("y", ns="y", team="red")),
        ],
    ),
)

DENY = policy(INGRESS, name="deny")
ALLOW = policy(INGRESS, rule(INGRESS, [namespaces(labels(ns="y"))]), name="allow")

POLICIES = (
    case(
        "an allowance that is added to a denial and removed",
        DENY,
        then=[
            ("with the allowance", with_policies(ALLOW)),
            ("without it", without_policy("x/allow")),
        ],
    ),
    case(
        "a denial that is removed from beside an allowance",
        DENY,
        ALLOW,
        then=[
            ("without the allowance", without_policy("x/allow")),
            ("without any policy", without_policy("x/deny")),
        ],
        one_sided="without any policy everything is open",
    ),
    case(
        "a policy that is created anew by its name",
        DENY,
        then=[
            ("without it", without_policy("x/deny")),
            ("with it", with_policies(DENY)),
        ],
        one_sided="without any policy everything is open",
    ),
    case(
        "peers of a policy, which are replaced",
        policy(INGRESS, rule(INGRESS, [pods(labels(pod="a"))])),
        then=[
            ("with another pod", with_policies(policy(INGRESS, rule(INGRESS, [pods(labels(pod="b"))])))),
            ("with a namespace", with_policies(policy(INGRESS, rule(INGRESS, [namespaces(labels(ns="z"))])))),
        ],
    ),
    case(
        "ports of a policy, which are replaced",
        policy(INGRESS, rule(INGRESS, (), [port(FIRST)])),
        then=[
            ("with the other port", with_policies(policy(INGRESS, rule(INGRESS, (), [port(SECOND)])))),
            ("with a range of UDP", with_policies(policy(INGRESS, rule(INGRESS, (), [port(1, SECOND, "UDP")])))),
        ],
    ),
    case(
        "the selector of a policy, which is replaced",
        policy(INGRESS, to=labels(pod="a")),
        then=[
            ("with another pod", with_policies(policy(INGRESS, to=labels(pod="b")))),
            ("with all pods", with_policies(policy(INGRESS))),
        ],
    ),
    case(
        "the types of a policy, which are replaced",
        manifest({"podSelector": {}, "policyTypes": ["Ingress"]}),
        then=[
            ("egress", with_policies(manifest({"podSelector": {}, "policyTypes": ["Egress"]}))),
            ("both", with_policies(manifest({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))),
        ],
    ),
    case(
        "an address of a block, which is replaced",
        policy(INGRESS, rule(INGRESS, [block("{y/a}")])),
        then=[
            ("with another address", with_policies(policy(INGRESS, rule(INGRESS, [block("{z/b}")])))),
            ("with everywhere but for it", with_policies(policy(INGRESS, rule(INGRESS, [block("{x/a}/0", "{z/b}")])))),
        ],
    ),
    case(
        "a rule that is added and removed",
        policy(EGRESS, rule(EGRESS, [namespaces(labels(ns="y"))])),
        then=[
            (
                "with a port",
                with_policies(
                    policy(EGRESS, rule(EGRESS, [namespaces(labels(ns="y"))]), rule(EGRESS, (), [port(FIRST)]))
                ),
            ),
            ("without rules", with_policies(policy(EGRESS))),
        ],
    ),
    case(
        "namespaces that are closed one after the other",
        policy(INGRESS),
        then=[
            ("and y", with_policies(policy(INGRESS, namespace="y"))),
            ("and z", with_policies(policy(INGRESS, namespace="z"))),
        ],
        one_sided="at the end nobody may reach anybody",
    ),
)

CASES = (*PODS, *OF_NAMESPACES, *POLICIES)
