"""Facts of a small cluster that passes every check, for tests that break one of them."""

from __future__ import annotations

from typing import Any

from proving_ground.kubernetes.benchmark.collect import needs_of
from proving_ground.kubernetes.benchmark.facts import KINDS, Facts, File, Machine
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.benchmark.table import checks, usual_paths
from proving_ground.kubernetes.pods import RESTRICTED_CONTAINER
from proving_ground.machines.node_facts import Socket

SITE = Site(usual_paths())

PROCESSES: dict[str, dict[str, str]] = {
    "kube-apiserver": {
        "anonymous-auth": "false",
        "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs,EventRateLimit,AlwaysPullImages,"
        "ImagePolicyWebhook",
        "kubelet-client-certificate": "/pki/kubelet.pem",
        "kubelet-client-key": "/pki/kubelet-key.pem",
        "kubelet-certificate-authority": "/pki/ca.pem",
        "authorization-mode": "Node,RBAC",
        "profiling": "false",
        "audit-log-path": "/var/log/audit.log",
        "audit-log-maxage": "30",
        "audit-log-maxbackup": "10",
        "audit-log-maxsize": "100",
        "audit-policy-file": "/etc/audit.yaml",
        "service-account-key-file": "/pki/account.pub",
        "service-account-extend-token-expiration": "false",
        "etcd-certfile": "/pki/etcd.pem",
        "etcd-keyfile": "/pki/etcd-key.pem",
        "etcd-cafile": "/pki/etcd-ca.pem",
        "tls-cert-file": "/pki/server.pem",
        "tls-private-key-file": "/pki/server-key.pem",
        "client-ca-file": "/pki/ca.pem",
        "encryption-provider-config": "/etc/encryption.yaml",
        "tls-cipher-suites": "TLS_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    },
    "kube-controller-manager": {
        "terminated-pod-gc-threshold": "100",
        "profiling": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": "/pki/account-key.pem",
        "root-ca-file": "/pki/ca.pem",
        "bind-address": "127.0.0.1",
    },
    "kube-scheduler": {"profiling": "false", "bind-address": "127.0.0.1"},
    "etcd": {
        "cert-file": "/pki/server.pem",
        "key-file": "/pki/server-key.pem",
        "client-cert-auth": "true",
        "peer-cert-file": "/pki/peer.pem",
        "peer-key-file": "/pki/peer-key.pem",
        "peer-client-cert-auth": "true",
        "trusted-ca-file": "/pki/etcd-ca.pem",
    },
    "kubelet": {"config": "/var/lib/kubelet/config.yaml"},
    "kube-proxy": {"config": "/var/lib/kube-proxy/config.yaml"},
}

AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: None
    users: ["system:kube-proxy"]
    verbs: [watch]
  - level: Metadata
"""

DOCUMENTS = {
    "kube-apiserver audit-policy-file": AUDIT_POLICY,
    "kube-apiserver encryption-provider-config": "resources: [{resources: [secrets], providers: [{secretbox: {}}]}]",
    "kube-apiserver client-ca-file": "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n",
    "etcd trusted-ca-file": "-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----\n",
    "/etc/cni/net.d/*": '{"plugins": [{"type": "calico"}]}',
}

KUBELET: dict[str, Any] = {
    "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": "/pki/ca.pem"}},
    "authorization": {"mode": "Webhook"},
    "streamingConnectionIdleTimeout": "4h0m0s",
    "makeIPTablesUtilChains": True,
    "eventRecordQPS": 50,
    "tlsCertFile": "/pki/kubelet.pem",
    "tlsPrivateKeyFile": "/pki/kubelet-key.pem",
    "rotateCertificates": True,
    "tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
    "podPidsLimit": 1000,
    "seccompDefault": True,
}

LISTENERS = (
    Socket("tcp", "127.0.0.1", 10257, "kube-controller"),
    Socket("tcp", "127.0.0.1", 10259, "kube-scheduler"),
    Socket("tcp", "127.0.0.1", 10249, "kube-proxy"),
)


def role(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """A role or cluster role."""
    return {"metadata": {"name": name}, "rules": list(rules)}


def binding(name: str, to: str, *subjects: dict[str, str], bootstrap: bool = False) -> dict[str, Any]:
    """A binding of a cluster role."""
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"} if bootstrap else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "roleRef": {"kind": "ClusterRole", "name": to},
        "subjects": list(subjects),
    }


def pod(name: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A pod with a container that does without all rights."""
    container = {"name": "main", "imagePullPolicy": "Never", "securityContext": RESTRICTED_CONTAINER}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": "all", "serviceAccountName": "default", "containers": [container], **spec},
    }


def objects() -> dict[str, list[dict[str, Any]]]:
    """The objects of the cluster."""
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    admin = role("cluster-admin", everything)
    admin["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    reader = role("reader", {"verbs": ["get"], "apiGroups": [""], "resources": ["services"]})
    names = ("default", "kube-system", "shop")
    return {
        "namespaces": [{"metadata": {"name": name}} for name in names],
        "pods": [pod("front")],
        "services": [{"metadata": {"name": "kubernetes", "namespace": "default"}}],
        "serviceaccounts": [
            {"metadata": {"name": "default", "namespace": name}, "automountServiceAccountToken": False}
            for name in names
        ],
        "configmaps": [{"metadata": {"name": "kube-root-ca.crt", "namespace": "default"}}],
        **{each: [] for each in ("secrets", "tokens-of-service-accounts", "tokens-of-bootstrap", "roles")},
        **{each: [] for each in ("deployments", "daemonsets", "statefulsets", "jobs", "cronjobs", "rolebindings")},
        "networkpolicies": [{"metadata": {"name": "deny", "namespace": name}} for name in names],
        "clusterroles": [admin, reader],
        "clusterrolebindings": [
            binding("cluster-admin", "cluster-admin", {"kind": "Group", "name": "system:masters"}, bootstrap=True),
            binding("front", "reader", {"kind": "ServiceAccount", "name": "front", "namespace": "shop"}),
        ],
    }


def sound(client: str) -> Facts:
    """Facts that pass every check.

    Args:
        client: PEM of the certificate in kubeconfigs.
    """
    needs = needs_of(checks(), SITE)
    files = []
    for _, pattern in needs.files:
        mode, owner = (0o700, "etcd:etcd") if pattern == "/var/lib/etcd" else (0o600, "root:root")
        files.append(File(pattern.replace("*", "some"), mode, owner))
    machine = Machine("all", PROCESSES, files, DOCUMENTS, LISTENERS, {"/etc/kubernetes/admin.conf": client})
    names = dict(needs.pods)
    refused = {name: ("" if name == "a pod that asks for nothing" else "violates PodSecurity") for name in names}
    kinds = dict.fromkeys(KINDS, (machine,))
    return Facts(kinds, {"all": KUBELET}, objects(), {"default": refused, "shop": refused})
