"""Reading manifests: what the API server would refuse is refused here, with the place and the nearest right word."""

from __future__ import annotations

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.policies.policy import Direction, Policy
from proving_ground.kubernetes.policies.scene import Pod, Port, Protocol, Scene
from testing.proving_ground.kubernetes.policies.cluster import SCENE, policies


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("podselector: {}", "default/p0: there is no field 'podselector' — did you mean podSelector?"),
        ("ingress: [{form: []}]", r"ingress\[0\]: there is no field 'form' — did you mean from\?"),
        ("egress: [{from: []}]", r"egress\[0\]: there is no field 'from'"),
        ("policyTypes: [ingress]", "there is no policy type 'ingress' — use Ingress or Egress"),
        ("ingress: [{from: [{}]}]", r"from\[0\]: a peer has selectors, or an ipBlock, and never both"),
        ("ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]", "and never both"),
        ("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}, podSelector: {}}]}]", "and never both"),
        ("ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]", r"ipBlock: 10\.0\.0\.1/8 has host bits set"),
        ("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]", "is no part of 10.0.0.0/8"),
        ("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]", "is no part of 10.0.0.0/8"),
        ("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}}]}]", "is no part of 10.0.0.0/8"),
        ("ingress: [{ports: [{protocol: tcp}]}]", "there is no protocol 'tcp' — use TCP, UDP, SCTP"),
        ("ingress: [{ports: [{endPort: 80}]}]", "endPort needs a port that is a number"),
        ("ingress: [{ports: [{port: web, endPort: 80}]}]", "endPort needs a port that is a number"),
        ("ingress: [{ports: [{port: 90, endPort: 80}]}]", "and not above it"),
        ("ingress: [{from: {podSelector: {}}}]", r"ingress\[0\]\.from: .* is no list"),
        ("ingress: [from]", r"ingress\[0\]: 'from' is no mapping"),
        ("podSelector: {matchLabel: {}}", "did you mean matchLabels"),
        (
            "podSelector: {matchExpressions: [{key: a, operator: NotInn}]}",
            "there is no operator 'NotInn' — did you mean NotIn",
        ),
        ("podSelector: {matchExpressions: [{operator: Exists}]}", "a key is missing"),
        ("podSelector: {matchExpressions: [{key: a, operator: In}]}", "In needs values"),
        ("podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}", "Exists takes no values"),
    ],
)
def test_a_wrong_manifest_is_refused_in_one_line(policy: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        policies(policy)
    assert "\n" not in str(caught.value)


def test_a_policy_has_name_namespace_and_the_directions_that_it_isolates() -> None:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "web"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    read = Policy.read(manifest)
    assert str(read) == "web/deny"
    assert read.rules == {Direction.INGRESS: (), Direction.EGRESS: ()}


def test_a_scene_counts_all_connections_and_names_what_is_not_there() -> None:
    first = Pod("a", "x", {}, (Port(80), Port(53, Protocol.UDP)))
    scene = Scene({"x": {}}, (first, Pod("b", "x")))
    assert [str(each) for each in scene.connections()] == [
        "x/a → x/a tcp:80",
        "x/a → x/a udp:53",
        "x/b → x/a tcp:80",
        "x/b → x/a udp:53",
    ]
    with pytest.raises(KeyError, match="no pod x/c"):
        scene.with_pod_labels("x/c", {})
    with pytest.raises(KeyError, match="no namespace y"):
        SCENE.with_namespace_labels("y", {})
