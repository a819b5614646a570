"""Workers: their daemons run, they are ready, their kubelets let in only whom they know, and each is only itself."""

from __future__ import annotations

import datetime
import itertools
import json
import secrets
from collections.abc import Iterator

import pytest
from testinfra.host import Host

from fixtures.cluster_nodes import kubernetes_nodes, only_masters
from fixtures.node_health import is_well
from fixtures.pki import Issue, Pki
from proving_ground.core.polling import NotReady
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.pods import pod_manifest, ready, state, static_pod
from proving_ground.kubernetes.tls import Answer, Identity, Verdict
from proving_ground.machines.node_facts import listeners, unit_state

pytestmark = [pytest.mark.order(70), pytest.mark.role("configure/kube-worker")]

every_worker = pytest.mark.hosts("kube_worker")
every_kubernetes_node = pytest.mark.hosts("kube_master", "kube_worker")
HEARTBEAT = datetime.timedelta(seconds=40)
"""A kubelet renews its lease every 10 s; after this long the controller manager takes the node for lost."""
MERGE = "application/merge-patch+json"


@pytest.mark.order(
    55
)  # before the control plane's pods, which they run: the first red test names the part that is broken
@pytest.mark.parametrize("unit", ["containerd.service", "kubelet.service"])
@every_kubernetes_node
def test_daemon_runs(host: Host, unit: str) -> None:
    assert unit_state(host, unit) == "active (running)"


COPIED = "find /var/lib/containerd/io.containerd.content.v1.content/blobs -type f -size +1024k"
"""Layers in the content store; what else is there, manifests and configurations, is smaller."""


@every_kubernetes_node
def test_node_uses_the_layers_of_the_depot_without_a_copy(host: Host, pg_settings: Settings) -> None:
    trees = f"{pg_settings.project.depot_path}/layers/"
    snapshots = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"
    linked = host.check_output(f"find {snapshots} -mindepth 2 -maxdepth 2 -type l -name fs -printf '%l\\n'").split()
    assert linked
    assert all(target.startswith(trees) for target in linked), linked
    assert host.check_output(COPIED) == "", "layers were imported: `journalctl -u import-images` has the reason"


@pytest.mark.order(55)
@every_kubernetes_node
def test_kubelet_answers(host: Host, pg_timeouts: Timeouts) -> None:
    assert is_well(host, 10248, "/healthz", pg_timeouts) == "", "the kubelet runs and does not say that it is well"


@pytest.mark.smoke
@every_kubernetes_node
def test_node_is_ready(pg_node: Node, pg_kube: Kube) -> None:
    def probe() -> None:
        status = pg_kube.core.read_node(pg_node.name).status
        unready = [each for each in status.conditions if (each.type == "Ready") != (each.status == "True")]
        if unready:
            raise NotReady("; ".join(f"{each.type}={each.status}: {each.message}" for each in unready))

    pg_kube.timeouts.wait_until(f"{pg_node.name} is ready and under no pressure", probe, timeout=20)


@every_kubernetes_node
def test_kubelet_says_that_it_lives(pg_node: Node, pg_kube: Kube) -> None:
    from kubernetes import client

    leases = client.CoordinationV1Api(pg_kube.api_client())

    def renewed() -> None:
        try:
            lease = leases.read_namespaced_lease(pg_node.name, "kube-node-lease")
        except client.exceptions.NotFoundException:
            # Where the node was not registered yet, its kubelet tries again seconds after it has become ready.
            raise NotReady("its kubelet has made none yet") from None
        age = datetime.datetime.now(datetime.UTC) - lease.spec.renew_time
        if age >= HEARTBEAT:
            raise NotReady(f"it was renewed {age.total_seconds():.0f} s ago")

    pg_kube.timeouts.wait_until(f"the lease of {pg_node.name} is renewed", renewed, timeout=20)


@every_kubernetes_node
def test_node_is_what_the_plan_says(pg_node: Node, pg_kube: Kube, pg_depot_view: View) -> None:
    found = pg_kube.core.read_node(pg_node.name)
    internal = [each.address for each in found.status.addresses if each.type == "InternalIP"]
    assert internal == [str(pg_node.address)]
    assert found.status.node_info.kubelet_version.removeprefix("v") == pg_depot_view.versions[
        "kubernetes"
    ].removeprefix("v")
    assert found.status.node_info.container_runtime_version.startswith("containerd://")
    roles = {label.rpartition("/")[2] for label in found.metadata.labels if label.startswith("node-role.")}
    planned = {"kube_master": "control-plane", "kube_worker": "worker"}
    assert roles == {role for group, role in planned.items() if group in pg_node.groups}


CORDONED = "node.kubernetes.io/unschedulable"


@every_kubernetes_node
def test_node_carries_the_planned_taints_and_no_others(pg_node: Node, pg_kube: Kube, pg_topology: Topology) -> None:
    name, planned = pg_node.name, set[str]()
    if pg_node in only_masters(pg_topology):
        planned = {"node-role.kubernetes.io/control-plane:NoSchedule"}

    def untainted() -> None:
        # A taint that says "not ready" is taken away a moment after the node has become ready.
        found = {f"{taint.key}:{taint.effect}" for taint in pg_kube.core.read_node(name).spec.taints or []}
        wrong = [
            f"`kubectl uncordon {name}`: it is cordoned"
            if taint.startswith(CORDONED)
            else f"`kubectl taint node {name} {taint}-`: nobody has planned this taint"
            for taint in sorted(found - planned)
        ]
        wrong += [f"`kubectl taint node {name} {taint}`: it takes ordinary pods" for taint in sorted(planned - found)]
        if wrong:
            raise NotReady("; ".join(wrong))

    pg_kube.timeouts.wait_until(f"{name} has the planned taints", untainted, timeout=5, interval=0.5)


def test_cluster_has_the_planned_nodes_and_no_others(pg_kube: Kube, pg_topology: Topology) -> None:
    assert {each.metadata.name for each in pg_kube.nodes()} == {node.name for node in kubernetes_nodes(pg_topology)}


@every_worker
def test_kube_proxy_is_ready(pg_node: Node, pg_kube: Kube) -> None:
    pod = static_pod(pg_kube, "kube-proxy", pg_node.name)
    assert ready(pod), state(pod)


@every_kubernetes_node
def test_kube_proxy_knows_every_key_of_its_configuration(pg_node: Node, pg_kube: Kube) -> None:
    """It ignores a key that it does not know, and only its log says so."""
    log = pg_kube.core.read_namespaced_pod_log(f"kube-proxy-{pg_node.name}", "kube-system")
    assert "kube-proxy" in log or "Caches are synced" in log, f"this is no log of kube-proxy: {log[:200]}"
    assert [line for line in log.splitlines() if "strict decoding" in line] == []


def kubelet(pki: Pki, node: Node, path: str, identity: Identity | None = None) -> Answer:
    return pki.ask(f"https://{node.address}:10250{path}", authority=pki.certificate("ca"), identity=identity)


@every_kubernetes_node
def test_kubelet_lets_in_the_api_server(pg_node: Node, pki: Pki) -> None:
    answer = kubelet(pki, pg_node, "/pods", pki.identity("apiserver-kubelet-client"))
    assert answer.status == 200, answer
    assert json.loads(answer.body)["kind"] == "PodList"


@pytest.mark.parametrize("path", ["/pods", "/metrics", "/healthz", "/containerLogs/kube-system/any/any"])
@every_kubernetes_node
def test_kubelet_refuses_a_client_without_a_certificate(pg_node: Node, pki: Pki, path: str) -> None:
    answer = kubelet(pki, pg_node, path)
    assert (answer.verdict, answer.status) == (Verdict.ANSWERED, 401), answer


@every_kubernetes_node
def test_kubelet_refuses_a_forged_client(pg_node: Node, pki: Pki, issue_certificate: Issue) -> None:
    forged = issue_certificate("admin", organization="system:masters", imitate=pki.certificate("ca"))
    answer = kubelet(pki, pg_node, "/pods", forged)
    assert answer.status == 401 or answer.verdict is Verdict.REFUSED, answer


@every_kubernetes_node
def test_kubelet_refuses_whom_it_knows_and_who_may_not(pg_node: Node, pki: Pki) -> None:
    assert kubelet(pki, pg_node, "/pods", pki.identity("scheduler")).status == 403


@every_kubernetes_node
def test_kubelet_has_no_read_only_port(host: Host) -> None:
    ports = listeners(host)
    assert 10250 in ports, "the kubelet's own port was not found either"
    assert 10255 not in ports


@pytest.fixture
def other_nodes(pg_topology: Topology, pg_node: Node, pg_kube: Kube) -> Iterator[list[str]]:
    """The names of all nodes but ``pg_node``; where there is none, of one that only the API server knows."""
    others = [other.name for other in kubernetes_nodes(pg_topology) if other.name != pg_node.name]
    if others:
        yield others
        return
    made_up = f"nobody-{secrets.token_hex(3)}"
    pg_kube.core.create_node({"metadata": {"name": made_up}, "spec": {"unschedulable": True}})
    yield [made_up]
    pg_kube.core.delete_node(made_up)


def patch(pki: Pki, master: Node, who: str, path: str, change: object) -> Answer:
    return pki.ask(
        f"https://{master.address}:6443{path}",
        authority=pki.certificate("ca"),
        identity=pki.identity(who),
        method="PATCH",
        body=json.dumps(change),
        content_type=MERGE,
    )


@pytest.mark.disruptive  # where there is one node only, the other is made up, and whoever lists nodes would see it
@pytest.mark.order(905)
@every_worker
def test_worker_can_change_itself_and_no_other_node(
    pg_node: Node,
    other_nodes: list[str],
    pki: Pki,
    pg_topology: Topology,
) -> None:
    master, who = pg_topology.group("kube_master")[0], f"kubelet-client-{pg_node.name}"
    for value in ("yes", None):  # set it, and take it away again
        change = {"metadata": {"annotations": {"proving-ground.test/changed": value}}}
        assert patch(pki, master, who, f"/api/v1/nodes/{pg_node.name}", change).status == 200
        for another, part in itertools.product(other_nodes, ("", "/status")):
            answer = patch(pki, master, who, f"/api/v1/nodes/{another}{part}", change)
            assert answer.status == 403, answer


@every_worker
def test_worker_cannot_give_itself_a_guarded_label(pg_node: Node, pki: Pki, pg_topology: Topology) -> None:
    master, who = pg_topology.group("kube_master")[0], f"kubelet-client-{pg_node.name}"
    change = {"metadata": {"labels": {"node-restriction.kubernetes.io/trusted": "yes"}}}
    answer = patch(pki, master, who, f"/api/v1/nodes/{pg_node.name}", change)
    assert answer.status == 403, answer


@every_worker
def test_worker_reads_the_secrets_of_its_own_pods_and_no_others(
    pg_node: Node,
    pg_kube: Kube,
    pki: Pki,
    pg_topology: Topology,
    pg_namespace: str,
    pg_depot_view: View,
) -> None:
    for name in ("mounted", "unrelated"):
        pg_kube.core.create_namespaced_secret(pg_namespace, {"metadata": {"name": name}, "stringData": {"word": name}})
    volume = {"name": "secret", "secret": {"secretName": "mounted"}}
    manifest = pod_manifest(
        "owner", pg_depot_view.images["probe"], node=pg_node.name, volumes=[volume], container={"args": ["serve"]}
    )
    pg_kube.core.create_namespaced_pod(pg_namespace, manifest)
    master = pg_topology.group("kube_master")[0]

    def read(name: str) -> int:
        return pki.ask(
            f"https://{master.address}:6443/api/v1/namespaces/{pg_namespace}/secrets/{name}",
            authority=pki.certificate("ca"),
            identity=pki.identity(f"kubelet-client-{pg_node.name}"),
        ).status

    def allowed() -> None:
        if read("mounted") != 200:
            raise NotReady(f"it got {read('mounted')}")

    # The authorizer learns of the pod from its own watch, a moment after the pod was made.
    pg_kube.timeouts.wait_until("the worker may read the secret that its pod mounts", allowed, timeout=10, interval=0.1)
    assert read("unrelated") == 403
