"""What policies allow: the cases that the specification describes, and those that people take for something else."""

from __future__ import annotations

import pytest

from testing.proving_ground.kubernetes.policies.cluster import SCENE, allowed, verdict

EVERYBODY = {"default/frontend", "default/other", "myproject/web", "myproject/job", "backend/worker"}
OWN = {"default/frontend", "default/other"}
FRONTEND = {"default/frontend"}

EXAMPLE = """
podSelector: {matchLabels: {role: db}}
policyTypes: [Ingress, Egress]
ingress:
  - from:
      - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
      - namespaceSelector: {matchLabels: {project: backend}}
      - podSelector: {matchLabels: {role: frontend}}
    ports: [{protocol: TCP, port: 6379}]
egress:
  - to: [{ipBlock: {cidr: 10.0.0.0/24}}]
    ports: [{protocol: TCP, port: 53}]
"""


def test_without_policies_everything_is_open() -> None:
    assert allowed("podSelector: {}\nin: backend") == EVERYBODY
    assert verdict("podSelector: {}\nin: backend", "backend/worker").reason == (
        "no policy isolates the egress of backend/worker; no policy isolates the ingress of default/db"
    )


def test_the_example_of_the_documentation_allows_address_namespace_and_pod() -> None:
    # web's address is in the exception; its label counts only within the policy's namespace.
    assert allowed(EXAMPLE) == {"default/frontend", "myproject/job"}


def test_the_example_of_the_documentation_allows_one_port_out_to_one_range() -> None:
    assert verdict(EXAMPLE, "default/db", "backend/worker", "tcp:53").allowed
    assert not verdict(EXAMPLE, "default/db", "backend/worker", "udp:53").allowed
    assert not verdict(EXAMPLE, "default/db", "backend/worker", "tcp:6379").allowed
    assert not verdict(EXAMPLE, "default/db", "default/frontend", "tcp:53").allowed


def test_the_example_leaves_other_pods_alone() -> None:
    assert verdict(EXAMPLE, "myproject/web", "default/frontend").allowed


@pytest.mark.parametrize(
    ("policy", "open_to"),
    [
        pytest.param("podSelector: {}", set(), id="ingress missing"),
        pytest.param("podSelector: {}\ningress: []", set(), id="ingress empty"),
        pytest.param("{}", set(), id="selector missing"),
        pytest.param("podSelector: {}\ningress: [{}]", EVERYBODY, id="an empty rule"),
        pytest.param("podSelector: {}\ningress: [{from: []}]", EVERYBODY, id="from empty"),
        pytest.param("podSelector: {}\ningress: [{ports: []}]", EVERYBODY, id="ports empty"),
        pytest.param("podSelector: {}\ningress: [{from: [{podSelector: {}}]}]", OWN, id="all pods of its namespace"),
        pytest.param(
            "podSelector: {}\ningress: [{from: [{namespaceSelector: {}}]}]", EVERYBODY, id="pods of all namespaces"
        ),
        pytest.param(
            "podSelector: {}\ningress: [{from: [{podSelector: {}, namespaceSelector: }]}]", OWN, id="null is missing"
        ),
        pytest.param("podSelector: {matchLabels: {role: frontend}}", EVERYBODY, id="another pod is selected"),
        pytest.param("podSelector: {}\npolicyTypes: [Egress]\negress: [{}]", EVERYBODY, id="only egress is isolated"),
    ],
)
def test_empty_and_missing_fields_of_ingress(policy: str, open_to: set[str]) -> None:
    assert allowed(policy) == open_to


@pytest.mark.parametrize(
    ("policy", "ingress", "egress"),
    [
        ("podSelector: {}", False, True),
        ("podSelector: {}\negress: []", False, True),
        ("podSelector: {}\negress: [{ports: [{port: 1}]}]", False, False),
        ("podSelector: {}\npolicyTypes: []\negress: [{ports: [{port: 1}]}]", False, False),
        ("podSelector: {}\npolicyTypes: [Egress]", True, False),
        ("podSelector: {}\npolicyTypes: [Egress]\ningress: [{ports: [{port: 1}]}]", True, False),
        ("podSelector: {}\npolicyTypes: [Ingress]\negress: [{ports: [{port: 1}]}]", False, True),
    ],
)
def test_policy_types_by_default_are_ingress_and_egress_where_it_has_rules(
    policy: str, ingress: bool, egress: bool
) -> None:
    assert verdict(policy, "backend/worker", "default/db").allowed is ingress
    assert verdict(policy, "default/db", "backend/worker").allowed is egress


BOTH = "namespaceSelector: {matchLabels: {project: myproject}}"


@pytest.mark.parametrize(
    ("peers", "open_to"),
    [
        (f"[{{{BOTH}, podSelector: {{matchLabels: {{role: frontend}}}}}}]", {"myproject/web"}),
        (
            f"[{{{BOTH}}}, {{podSelector: {{matchLabels: {{role: frontend}}}}}}]",
            {"myproject/web", "myproject/job", "default/frontend"},
        ),
        ("[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: backend}}}]", {"backend/worker"}),
        ("[{namespaceSelector: {matchLabels: {project: no}}}]", set()),
        (
            "[{podSelector: {matchExpressions: [{key: role, operator: In, values: [frontend]}]}}]",
            {"default/frontend"},
        ),
        ("[{podSelector: {matchExpressions: [{key: role, operator: NotIn, values: [frontend]}]}}]", {"default/other"}),
        ("[{podSelector: {matchExpressions: [{key: team, operator: NotIn, values: [b]}]}}]", OWN),
        ("[{podSelector: {matchExpressions: [{key: team, operator: Exists}]}}]", {"default/other"}),
        ("[{podSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]", {"default/frontend"}),
        ("[{ipBlock: {cidr: 172.16.0.0/12}}]", EVERYBODY - {"backend/worker"}),
        ("[{ipBlock: {cidr: 172.17.1.5/32}}]", {"myproject/web"}),
        ("[{ipBlock: {cidr: 0.0.0.0/0, except: [172.16.0.0/15, 10.0.0.7/32]}}]", {"default/other"}),
        ("[{ipBlock: {cidr: 'fd00::/8'}}]", set()),
    ],
)
def test_peers(peers: str, open_to: set[str]) -> None:
    assert allowed(f"podSelector: {{}}\ningress: [{{from: {peers}}}]") == open_to


def test_a_pods_label_and_its_namespaces_are_asked_anew_after_a_change() -> None:
    policy = "podSelector: {}\ningress: [{from: [{namespaceSelector: {matchLabels: {project: new}}}]}]"
    assert allowed(policy) == set()
    assert allowed(policy, scene=SCENE.with_namespace_labels("backend", {"project": "new"})) == {"backend/worker"}
    by_pod = "podSelector: {}\ningress: [{from: [{podSelector: {matchLabels: {role: late}}}]}]"
    assert allowed(by_pod, scene=SCENE.with_pod_labels("default/other", {"role": "late"})) == {"default/other"}
    by_server = "podSelector: {matchLabels: {role: db}}"
    assert allowed(by_server, scene=SCENE.with_pod_labels("default/db", {})) == EVERYBODY


def test_policies_add_up_and_never_take_away() -> None:
    deny, allow = "podSelector: {}", "podSelector: {}\ningress: [{from: [{podSelector: {}}]}]"
    assert allowed(f"{deny}\n---\n{allow}") == allowed(f"{allow}\n---\n{deny}") == OWN
    worker = "podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.7/32}}]}]"
    assert allowed(f"{allow}\n---\n{worker}") == OWN | {"backend/worker"}


def test_both_sides_have_to_allow_a_connection() -> None:
    no_way_out = "in: backend\npodSelector: {}\npolicyTypes: [Egress]"
    way_in = "podSelector: {}\ningress: [{}]"
    assert allowed(f"{no_way_out}\n---\n{way_in}") == EVERYBODY - {"backend/worker"}
    assert verdict(f"{no_way_out}\n---\n{way_in}", "backend/worker").reason == (
        "no rule of backend/p0 allows the egress of backend/worker"
    )


def test_a_policy_is_about_pods_of_its_own_namespace_alone() -> None:
    assert allowed("in: myproject\npodSelector: {}") == EVERYBODY


def test_a_pod_reaches_itself_under_any_policy() -> None:
    assert verdict("podSelector: {}\npolicyTypes: [Ingress, Egress]", "default/db", "default/db").allowed


def test_a_pod_is_reached_from_its_own_node_and_not_from_another() -> None:
    deny = "podSelector: {}"
    assert verdict(deny, "nodes/node-one").allowed
    assert not verdict(deny, "nodes/node-two").allowed
    assert not verdict(deny, "default/frontend", "default/other").allowed, "pods on one node are no exception"


def test_selectors_find_no_node_and_addresses_do() -> None:
    by_pod = "podSelector: {}\ningress: [{from: [{namespaceSelector: {}}]}]"
    assert not verdict(by_pod, "nodes/node-two").allowed
    by_address = "podSelector: {}\ningress: [{from: [{ipBlock: {cidr: 192.168.0.2/32}}]}]"
    assert verdict(by_address, "nodes/node-two").allowed


def test_policies_do_not_apply_to_a_pod_on_its_nodes_network() -> None:
    deny = "in: nodes\npodSelector: {}\npolicyTypes: [Ingress, Egress]"
    assert verdict(deny, "default/db", "nodes/node-two").allowed
    assert verdict(deny, "nodes/node-two", "default/db").allowed
