"""The control plane: it answers, runs its parts, lets in only whom it knows, keeps secrets, takes no ordinary pods."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from testinfra.host import Host

from fixtures.cluster_nodes import only_masters
from fixtures.etcd import Etcd
from fixtures.pki import Issue, Pki
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import pod_manifest, ready, state, static_pod, wait_for_pods
from proving_ground.kubernetes.probes import ANYWHERE
from proving_ground.kubernetes.tls import Answer, Identity, Verdict
from proving_ground.machines.node_facts import listeners

pytestmark = [pytest.mark.order(60), pytest.mark.role("configure/kube-master")]

every_master = pytest.mark.hosts("kube_master")
SERVER = "https://{}:6443"
PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def call(pki: Pki, node: Node, path: str, identity: Identity | None = None, token: str = "", **more: Any) -> Answer:
    url = SERVER.format(node.address) + path
    return pki.ask(url, authority=pki.certificate("ca"), identity=identity, token=token, **more)


@pytest.mark.smoke
@every_master
def test_api_server_is_ready(pg_node: Node, pki: Pki) -> None:
    answer = call(pki, pg_node, "/readyz?verbose", pki.identity("admin"))
    failing = [line for line in answer.body.splitlines() if line.startswith("[-]")]
    assert (answer.status, failing) == (200, []), answer


@every_master
def test_api_server_is_of_the_pinned_version(pg_node: Node, pki: Pki, pg_depot_view: View) -> None:
    answer = call(pki, pg_node, "/version", pki.identity("admin"))
    assert json.loads(answer.body)["gitVersion"].removeprefix("v") == pg_depot_view.versions["kubernetes"].removeprefix(
        "v"
    )


@pytest.mark.parametrize("part", PARTS)
@every_master
def test_static_pod_is_ready(pg_node: Node, pg_kube: Kube, part: str) -> None:
    pod = static_pod(pg_kube, part, pg_node.name)
    assert ready(pod), state(pod)
    assert pod.spec.node_name == pg_node.name


@every_master
def test_front_proxy_alone_says_whose_a_request_is(pg_node: Node, pki: Pki, issue_certificate: Issue) -> None:
    def status(identity: Identity | None, user: str) -> int:
        headers = {"X-Remote-User": user, "X-Remote-Group": "cluster-administrators"} if user else {}
        return call(pki, pg_node, "/api/v1/secrets", identity, headers=headers).status

    proxy, impostor = pki.identity("front-proxy-client"), issue_certificate("front-proxy-client")
    assert status(proxy, "somebody") == 200, "the front proxy is not believed: no server of a further API can be asked"
    assert status(proxy, "") == 401, "the front proxy's certificate makes its holder a client"
    assert status(pki.identity("scheduler"), "somebody") == 403, "anybody may say to be an administrator"
    assert status(None, "somebody") == 401
    refused = call(pki, pg_node, "/api/v1/secrets", impostor, headers={"X-Remote-User": "somebody"})
    assert refused.verdict is Verdict.REFUSED or refused.status == 401, refused


def test_servers_of_further_apis_can_tell_the_front_proxy(pki: Pki, pg_kube: Kube) -> None:
    published = pg_kube.core.read_namespaced_config_map("extension-apiserver-authentication", "kube-system").data
    assert published["requestheader-client-ca-file"].strip() == pki.certificate("front-proxy-ca").read_text().strip()
    assert json.loads(published["requestheader-allowed-names"]) == ["front-proxy-client"]


PATHS = ["/api", "/version", "/healthz", "/metrics", "/api/v1/secrets"]


@pytest.mark.parametrize("path", PATHS)
@every_master
def test_api_server_refuses_the_anonymous(pg_node: Node, pki: Pki, path: str) -> None:
    assert call(pki, pg_node, path, pki.identity("admin")).status == 200, "it refuses the administrator as well"
    assert call(pki, pg_node, path).status == 401


def test_api_server_refuses_a_made_up_token(pki: Pki, pg_topology: Topology) -> None:
    assert call(pki, pg_topology.group("kube_master")[0], "/api", token="a.made-up.token").status == 401


@pytest.mark.parametrize("flaw", ["forged", "of-etcds-authority", "for-servers", "expired"])
def test_api_server_refuses_a_certificate_that_is(
    pki: Pki, pg_topology: Topology, issue_certificate: Issue, flaw: str
) -> None:
    master, authority = pg_topology.group("kube_master")[0], pki.identity("ca")
    who = {"organization": "system:masters"}
    identity = {
        "forged": lambda: issue_certificate("admin", imitate=authority.certificate, **who),
        "of-etcds-authority": lambda: pki.identity("etcd-client-root"),
        "for-servers": lambda: issue_certificate(
            "admin", authority=authority, purpose=ExtendedKeyUsageOID.SERVER_AUTH, **who
        ),
        "expired": lambda: issue_certificate("admin", authority=authority, expired=True, **who),
    }[flaw]()
    sound = issue_certificate("admin", authority=authority, **who)
    assert call(pki, master, "/api/v1/secrets", sound).status == 200, "it refuses one without the flaw as well"
    answer = call(pki, master, "/api/v1/secrets", identity)
    assert answer.status == 401 or answer.verdict is Verdict.REFUSED, answer


@every_master
def test_control_plane_has_no_port_without_tls(host: Host) -> None:
    open_ports = listeners(host)
    assert 6443 in open_ports, "the API server's own port was not found either"
    # 8080 API server, 10251 scheduler, 10252 controller manager, 10255 kubelet: the ports of old that ask nobody.
    assert {port: open_ports[port] for port in (8080, 10251, 10252, 10255) if port in open_ports} == {}


@pytest.mark.parametrize(("part", "port"), [("kube-controller-manager", 10257), ("kube-scheduler", 10259)])
@every_master
def test_control_plane_part_listens_on_loopback_alone(host: Host, pg_node: Node, part: str, port: int) -> None:
    found = listeners(host).get(port, set())
    assert found, f"{pg_node.name}: nothing listens on port {port}: {part} does not run"
    assert found == {"127.0.0.1"}, f"{pg_node.name}: {part} listens on {found}: set its --bind-address to 127.0.0.1"


@pytest.fixture
def service_account_token(pg_kube: Kube, pg_namespace: str) -> str:
    """A token of the service account that a namespace's pods have when they ask for nothing."""
    request: dict[str, object] = {"spec": {"expirationSeconds": 600}}
    return str(pg_kube.core.create_namespaced_service_account_token("default", pg_namespace, request).status.token)


def test_ordinary_pod_is_known_and_may_read_no_secrets(
    pki: Pki, pg_topology: Topology, pg_namespace: str, service_account_token: str
) -> None:
    master, token = pg_topology.group("kube_master")[0], service_account_token
    review = pki.ask(
        SERVER.format(master.address) + "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        authority=pki.certificate("ca"),
        token=token,
        method="POST",
        body=json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}),
    )
    assert json.loads(review.body)["status"]["userInfo"]["username"] == f"system:serviceaccount:{pg_namespace}:default"
    for path in (f"/api/v1/namespaces/{pg_namespace}/secrets", "/api/v1/nodes", "/api/v1/pods"):
        assert call(pki, master, path, token=token).status == 403, path


@pytest.mark.smoke
def test_secret_lies_encrypted_in_etcd(pg_kube: Kube, etcd: Etcd, pg_namespace: str) -> None:
    plaintext = secrets.token_hex(24)
    metadata = {"name": "hidden"}
    pg_kube.core.create_namespaced_secret(pg_namespace, {"metadata": metadata, "stringData": {"word": plaintext}})
    pg_kube.core.create_namespaced_config_map(pg_namespace, {"metadata": metadata, "data": {"word": plaintext}})
    plain = etcd.get(f"/registry/configmaps/{pg_namespace}/hidden")
    assert plain is not None, "what the API server writes is not where it was looked for"
    assert plaintext.encode() in plain, "what the API server writes is not where it was looked for"
    stored = etcd.get(f"/registry/secrets/{pg_namespace}/hidden")
    assert stored is not None
    assert plaintext.encode() not in stored
    assert stored.startswith(b"k8s:enc:"), stored[:40]


@pytest.mark.smoke
def test_deployment_becomes_running_pods(pg_kube: Kube, pg_namespace: str, pg_depot_view: View) -> None:
    """The controller manager makes the pods, the scheduler places them, a kubelet runs them."""
    labels = {"app": "deployed"}
    pod = pod_manifest("deployed", pg_depot_view.images["probe"], labels=labels, container={"args": ["serve"]})
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
    pg_kube.apps.create_namespaced_deployment(pg_namespace, {"metadata": {"name": "deployed"}, "spec": spec})
    pods = wait_for_pods(pg_kube, pg_namespace, 2, selector="app=deployed", timeout=30)
    assert {pod.metadata.owner_references[0].kind for pod in pods} == {"ReplicaSet"}


@pytest.fixture
def master_alone(pg_topology: Topology) -> Node:
    """A master that is no worker."""
    masters = only_masters(pg_topology)
    if not masters:
        pytest.skip("every master of this topology is a worker too")
    return masters[0]


def test_master_takes_no_ordinary_pod(
    pg_kube: Kube, pg_namespace: str, pg_depot_view: View, master_alone: Node
) -> None:
    for name, tolerations in (("ordinary", []), ("tolerant", ANYWHERE)):
        manifest = pod_manifest(
            name,
            pg_depot_view.images["probe"],
            nodeSelector={"kubernetes.io/hostname": master_alone.name},
            tolerations=tolerations,
            container={"args": ["serve"]},
        )
        pg_kube.core.create_namespaced_pod(pg_namespace, manifest)

    def turned_away() -> str:
        pod = pg_kube.core.read_namespaced_pod("ordinary", pg_namespace)
        assert pod.spec.node_name is None, f"it was placed on {pod.spec.node_name}"
        for condition in pod.status.conditions or []:
            if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
                return str(condition.message)
        raise NotReady("the scheduler has not looked at it")

    wait_until = pg_kube.timeouts.wait_until
    message = wait_until("the scheduler has turned the pod away", turned_away, timeout=20, interval=0.1)
    assert "taint" in message

    def placed() -> None:
        if pg_kube.core.read_namespaced_pod("tolerant", pg_namespace).spec.node_name is None:
            raise NotReady("it has no node")

    # The same pod with a toleration fits: it was the taint and nothing else.
    pg_kube.timeouts.wait_until("the pod that tolerates the taint is placed", placed, timeout=20, interval=0.1)


def test_api_servers_are_behind_the_service_of_their_name(pg_kube: Kube, pg_topology: Topology) -> None:
    service = pg_kube.core.read_namespaced_service("kubernetes", "default")
    assert service.spec.cluster_ip == str(pg_topology.networks["services"][1])
    (subset,) = pg_kube.core.read_namespaced_endpoints("kubernetes", "default").subsets
    expected = {str(node.address) for node in pg_topology.group("kube_master")}
    assert {address.ip for address in subset.addresses} == expected
