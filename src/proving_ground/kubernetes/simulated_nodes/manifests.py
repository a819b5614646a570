"""What stands for simulated nodes in the API: the nodes themselves, and what KWOK's controller may do. Pure."""

from __future__ import annotations

import base64
from ipaddress import IPv4Network
from typing import Any

from proving_ground.kubernetes.client import NOT_SIMULATED

Manifest = dict[str, Any]

MOST = 1000
"""Nodes that one controller of KWOK's is made for."""

POD_NETWORK = IPv4Network("100.64.0.0/10")
"""The network of pods on simulated nodes: that of carriers (RFC 6598), which no cluster has for pods of its own. It has
room for 16384 nodes of the size below."""

NODE_PREFIX = 24
"""The length of the prefix of a simulated node's part of it: 256 addresses, as nodes usually have."""

OWNER = "proving-ground/simulated-by"
"""The label of a run's simulated nodes; its value is the checkout that they are of."""

TAINT = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
"""Keeps pods away that do not ask for simulated nodes."""

TOLERATION = {"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}
"""What a pod that asks for them says."""

ACCOUNT = "proving-ground-kwok"
"""The name of the controller's service account, and of the role and the binding that give it its rights."""

ACCOUNT_NAMESPACE = "kube-system"
"""The API server treats its accounts as the cluster's own parts: they share no queue with a test's requests."""

ALL = ["get", "list", "watch"]

RIGHTS: list[Manifest] = [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ALL},
    {"apiGroups": [""], "resources": ["nodes/status", "pods/status"], "verbs": ["patch", "update"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": [*ALL, "delete", "patch", "update"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch", "update"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*ALL, "create", "patch", "update"]},
]
"""What the controller does in the API."""


def names(number: int) -> list[str]:
    """Return the names of that many simulated nodes."""
    return [f"simulated-{each:04}" for each in range(1, number + 1)]


def node(index: int, name: str, owner: str) -> Manifest:
    """Return a node's manifest.

    It is in a zone of its own, since the controller of nodes' life counts by zone how many have failed: simulated nodes
    that are lost must not count for real ones. Load balancers leave it out.

    Args:
        index: its number from 0, which chooses its part of the pod network.
        name: its name.
        owner: the checkout.
    """
    network = str(IPv4Network((int(POD_NETWORK.network_address) + (index << (32 - NODE_PREFIX)), NODE_PREFIX)))
    kind, _, value = NOT_SIMULATED.partition("!=")
    labels = {
        OWNER: owner,
        kind: value,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/exclude-from-external-load-balancers": "",
        "topology.kubernetes.io/region": "simulated",
        "topology.kubernetes.io/zone": "simulated",
    }
    amounts = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {TAINT["key"]: TAINT["value"]}},
        "spec": {"podCIDR": network, "podCIDRs": [network], "taints": [TAINT]},
        "status": {"capacity": amounts, "allocatable": amounts, "nodeInfo": _info()},
    }


def _info() -> dict[str, str]:
    said = {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "kwok", "osImage": "simulated"}
    others = ("bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "machineID", "systemUUID")
    return {**dict.fromkeys(others, ""), **said}


def rights() -> dict[str, Manifest]:
    """Return the manifests of the controller's account, role and binding, by their kind."""
    metadata = {"name": ACCOUNT}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": ACCOUNT_NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT}
    return {
        "ServiceAccount": {"metadata": {**metadata, "namespace": ACCOUNT_NAMESPACE}},
        "ClusterRole": {"metadata": metadata, "rules": RIGHTS},
        "ClusterRoleBinding": {"metadata": metadata, "roleRef": role, "subjects": [subject]},
    }


def kubeconfig(server: str, authority: bytes, token: str) -> Manifest:
    """Return the controller's kubeconfig.

    Args:
        server: the API's URL.
        authority: the certificates that it trusts, as PEM; empty for those of the host.
        token: of its account.
    """
    cluster = {"server": server}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "kwok",
        "clusters": [{"name": "kwok", "cluster": cluster}],
        "contexts": [{"name": "kwok", "context": {"cluster": "kwok", "user": "kwok"}}],
        "users": [{"name": "kwok", "user": {"token": token}}],
    }


def configuration(owner: str) -> Manifest:
    """Return the controller's configuration: which nodes are its own, and how many it serves at the same time."""
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "manageAllNodes": False,
            "manageNodesWithLabelSelector": f"{OWNER}={owner}",
            # As kubelets have it: renewed every ten seconds, and a node without it is lost.
            "nodeLeaseDurationSeconds": 40,
            "nodeLeaseParallelism": 8,
            "nodePlayStageParallelism": 8,
            "podPlayStageParallelism": 8,
            "enablePodsOnNodeSyncStreamWatch": True,
        },
    }
