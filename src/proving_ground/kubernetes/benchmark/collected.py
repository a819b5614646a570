"""Which objects of the API checks ask for, and where they are; of secrets never the content."""

from __future__ import annotations

from dataclasses import dataclass

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Resource:
    """A resource of the API.

    Attributes:
        path: of the list of all its objects.
        type: of secrets, if only one type is asked for.
        metadata_only: whether only names and labels are wanted.
    """

    path: str
    type: str = ""
    metadata_only: bool = False


RESOURCES = {
    "namespaces": Resource("/api/v1/namespaces"),
    "pods": Resource("/api/v1/pods"),
    "services": Resource("/api/v1/services"),
    "serviceaccounts": Resource("/api/v1/serviceaccounts"),
    "configmaps": Resource("/api/v1/configmaps", metadata_only=True),
    "secrets": Resource("/api/v1/secrets", metadata_only=True),
    "tokens-of-service-accounts": Resource(
        "/api/v1/secrets", "kubernetes.io/service-account-token", metadata_only=True
    ),
    "tokens-of-bootstrap": Resource("/api/v1/secrets", "bootstrap.kubernetes.io/token", metadata_only=True),
    "deployments": Resource("/apis/apps/v1/deployments"),
    "daemonsets": Resource("/apis/apps/v1/daemonsets"),
    "statefulsets": Resource("/apis/apps/v1/statefulsets"),
    "jobs": Resource("/apis/batch/v1/jobs"),
    "cronjobs": Resource("/apis/batch/v1/cronjobs"),
    "networkpolicies": Resource("/apis/networking.k8s.io/v1/networkpolicies"),
    "roles": Resource(f"{RBAC}/roles"),
    "clusterroles": Resource(f"{RBAC}/clusterroles"),
    "rolebindings": Resource(f"{RBAC}/rolebindings"),
    "clusterrolebindings": Resource(f"{RBAC}/clusterrolebindings"),
}
