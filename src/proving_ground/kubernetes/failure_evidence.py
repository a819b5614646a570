"""Collect evidence from a Kubernetes cluster after a failure: nodes, pods, events and logs."""

from __future__ import annotations

import pytest

from proving_ground.core.settings import Settings
from proving_ground.diagnostics.collectors import SHOW, Collector
from proving_ground.machines.ledger import Ledger
from proving_ground.plugin.run import run_of

CLUSTER = (
    SHOW
    + r"""
lines=200
kubectl() { "$KUBECTL" --kubeconfig "$KUBECONFIG" --request-timeout 3s "$@"; }
show kubectl get nodes --output wide
show kubectl get pods --all-namespaces --output wide
lines=60 show kubectl get events --all-namespaces --sort-by .lastTimestamp
show kubectl get services,endpointslices,networkpolicies --all-namespaces
kubectl get pods --all-namespaces --no-headers --output \
    'custom-columns=:metadata.namespace,:metadata.name,:status.conditions[?(@.type=="Ready")].status' 2>/dev/null |
    while read -r namespace pod ready; do
        [ "$ready" != True ] || continue
        show kubectl --namespace "$namespace" describe pod "$pod"
        lines=60 show kubectl --namespace "$namespace" logs --all-containers --prefix --tail 60 "$pod"
    done
"""
)


def pytest_proving_ground_collectors(item: pytest.Item) -> list[Collector]:
    """Collect evidence from the cluster after the failure of a test that uses ``pg_kube``."""
    names: list[str] = getattr(item, "fixturenames", [])
    return by_kubectl(run_of(item.config).settings, "cluster", CLUSTER) if "pg_kube" in names else []


def by_kubectl(settings: Settings, name: str, script: str) -> list[Collector]:
    """Return a collector of a shell script with ``KUBECTL`` and ``KUBECONFIG`` set; none if no cluster exists yet."""
    kubeconfig, record = settings.state_directory / "kubeconfig", Ledger(settings.state_directory).read()
    if not kubeconfig.exists() or record is None or not record.view:
        return []
    variables = [f"KUBECONFIG={kubeconfig}", f"KUBECTL={record.view}/bin/kubectl"]
    return [Collector(name, ["env", *variables, "sh", "-s"], script)]
