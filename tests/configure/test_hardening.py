"""What the cluster does for its own security: it logs who did what, and restrains pods that nobody has restrained."""

from __future__ import annotations

import json
import secrets
import shlex
from typing import Any

import pytest

from fixtures.pki import Pki
from proving_ground.core.polling import NotReady
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.namespaces import Namespaces
from proving_ground.kubernetes.pods import RESTRICTED_CONTAINER, RESTRICTED_POD, pod_manifest, wait_for_pods
from proving_ground.machines.hosts import Hosts

pytestmark = [pytest.mark.order(79), pytest.mark.role("configure/kube-master", "configure/kube-worker")]

AUDIT_LOG = "/var/log/kubernetes/audit.log"
ENFORCE = "pod-security.kubernetes.io/enforce"


def logged(hosts: Hosts, node: Node, word: str) -> list[dict[str, Any]]:
    """The events of a master's audit log that have this word, in their order."""
    found = hosts[node.name].run(f"grep --fixed-strings --regexp={shlex.quote(word)} {AUDIT_LOG}").stdout
    if not found:
        raise NotReady(f"{AUDIT_LOG} of {node.name} has no event with {word}")
    return [json.loads(line) for line in found.splitlines()]


def test_forbidden_request_is_in_the_audit_log(
    pki: Pki, pg_kube: Kube, pg_topology: Topology, pg_hosts: Hosts, pg_namespace: str
) -> None:
    master, name = pg_topology.group("kube_master")[0], f"sought-{secrets.token_hex(6)}"
    request = {"spec": {"expirationSeconds": 600}}
    token = pg_kube.core.create_namespaced_service_account_token("default", pg_namespace, request).status.token
    url = f"https://{master.address}:6443/api/v1/namespaces/{pg_namespace}/secrets/{name}"
    assert pki.ask(url, authority=pki.certificate("ca"), token=token).status == 403
    events = pg_kube.timeouts.wait_until(
        "the forbidden request is in the audit log", lambda: logged(pg_hosts, master, name), timeout=10
    )
    (event,) = events
    assert (event["user"]["username"], event["verb"], event["responseStatus"]["code"]) == (
        f"system:serviceaccount:{pg_namespace}:default",
        "get",
        403,
    )
    assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_audit_log_has_who_made_a_secret_and_not_what_is_in_it(
    pg_kube: Kube, pg_topology: Topology, pg_hosts: Hosts, pg_namespace: str
) -> None:
    name, content = f"hidden-{secrets.token_hex(6)}", secrets.token_hex(24)
    pg_kube.core.create_namespaced_secret(pg_namespace, {"metadata": {"name": name}, "stringData": {"word": content}})

    def made() -> list[dict[str, Any]]:
        # Any of the masters may have taken the request.
        for master in pg_topology.group("kube_master"):
            try:
                return [each for each in logged(pg_hosts, master, name) if each["verb"] == "create"]
            except NotReady:
                continue
        raise NotReady(f"no master has logged that {name} was made")

    (event,) = pg_kube.timeouts.wait_until("who made the secret is in the audit log", made, timeout=10)
    assert (event["level"], event["user"]["username"]) == ("Metadata", "kubernetes-admin")
    for master in pg_topology.group("kube_master"):
        assert pg_hosts[master.name].run(f"grep --count {content} {AUDIT_LOG}").stdout.strip() == "0", master.name


@pytest.mark.hosts("kube_master")
def test_audit_log_is_roots_alone(pg_node: Node, pg_hosts: Hosts) -> None:
    file = pg_hosts[pg_node.name].file(AUDIT_LOG)
    assert (file.user, f"{file.mode:o}") == ("root", "600")


def test_privileged_pod_is_refused_where_nobody_has_allowed_it(
    pg_kube: Kube, pg_namespaces: Namespaces, pg_depot_view: View
) -> None:
    from kubernetes import client

    image = pg_depot_view.images["probe"]
    privileged = pod_manifest("privileged", image, container={"securityContext": {"privileged": True}})
    container = {"securityContext": RESTRICTED_CONTAINER}
    modest = pod_manifest("modest", image, container=container, securityContext=RESTRICTED_POD)
    usual, allowed = pg_namespaces.create("usual", {ENFORCE: None}), pg_namespaces.create("allowed")
    pg_kube.core.create_namespaced_pod(usual, modest, dry_run="All")
    pg_kube.core.create_namespaced_pod(allowed, privileged, dry_run="All")
    with pytest.raises(
        client.ApiException, match=r'violates PodSecurity \\"restricted:latest\\": privileged'
    ) as refused:
        pg_kube.core.create_namespaced_pod(usual, privileged, dry_run="All")
    assert refused.value.status == 403
    for name in (usual, allowed):
        pg_namespaces.delete(name)


@pytest.mark.parametrize(
    ("profile", "mode"), [(None, "2"), ("Unconfined", "0")], ids=["by-default", "unless-it-asks-for-none"]
)
def test_system_calls_of_a_container_are_filtered(
    pg_kube: Kube, pg_namespace: str, pg_depot_view: View, profile: str | None, mode: str
) -> None:
    """The kernel says of a process whether a filter looks at its system calls: 2 is a filter, 0 is none."""
    context: dict[str, Any] = {"securityContext": {"seccompProfile": {"type": profile}}} if profile else {}
    container = {"command": ["sleep", "600"]}
    manifest = pod_manifest("filtered", pg_depot_view.images["redis"], container=container, **context)
    pg_kube.core.create_namespaced_pod(pg_namespace, manifest)
    wait_for_pods(pg_kube, pg_namespace, 1, timeout=30)
    said = pg_kube.execute(pg_namespace, "filtered", ["cat", "/proc/1/status"]).stdout
    assert dict(line.split(":\t") for line in said.splitlines() if line.startswith("Seccomp:")) == {"Seccomp": mode}
