"""Evidence of a failure shows what one would look at by hand on these machines, and every collector answers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from testinfra.host import Host

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.etcd_evidence import pytest_proving_ground_collectors as etcd_collectors
from proving_ground.core.polling import NotReady
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.diagnostics.collectors import MACHINE, on_machine, run_collectors, take
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.failure_evidence import pytest_proving_ground_collectors as cluster_collectors
from proving_ground.kubernetes.health_scan import pytest_proving_ground_health_checks as cluster_checks
from proving_ground.kubernetes.pods import pod_manifest
from proving_ground.plugin.health_scan import ask, of_machines

pytestmark = [pytest.mark.order(140)]

every_node = pytest.mark.hosts("etcd", "kube_master", "kube_worker")


def sections(text: str) -> dict[str, str]:
    """What was shown, by the words of its heading."""
    parts = re.split(r"^===== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def looked(pg_settings: Settings, pg_node: Node, pg_timeouts: Timeouts) -> dict[str, str]:
    """All that is looked at on a machine."""
    seen = take(on_machine(pg_settings, pg_node.name, pg_node.name, MACHINE), pg_timeouts)
    assert seen.trouble == ""
    return sections(seen.text)


@every_node
def test_evidence_of_a_machine_shows_addresses_routes_and_listeners(
    looked: dict[str, str], pg_node: Node, pg_topology: Topology
) -> None:
    assert str(pg_node.address) in looked["ip -brief address"]
    assert str(pg_topology.networks["machines"]) in looked["ip route"]
    assert re.search(r"LISTEN .*:22\b", looked["ss -Hltn"])


@every_node
def test_evidence_of_a_machine_counts_rules_and_sets(
    looked: dict[str, str], pg_node: Node, pg_topology: Topology
) -> None:
    rules, sets = looked["iptables: rules by table and chain"], looked["ipset: entries by set"]
    if pg_node in kubernetes_nodes(pg_topology):
        assert re.search(r"^ *\d+ \*filter cali-", rules, re.MULTILINE), "Calico's rules are counted"
        assert re.search(r"^ *\d+ \*nat KUBE-", rules, re.MULTILINE), "kube-proxy's rules are counted"
        assert re.search(r"^ *\d+ cali", sets, re.MULTILINE), "Calico's sets are counted"
    assert "not found" not in rules + sets


@pytest.fixture
def failed_unit(host: Host) -> Iterator[tuple[str, str]]:
    """A unit that has just failed, and its last words."""
    unit, words = f"astray-{secrets.token_hex(3)}", f"went-{secrets.token_hex(3)}"
    host.run(f"systemd-run --wait --unit={unit} sh -c 'echo {words}; exit 3'")
    yield unit, words
    host.check_output(f"systemctl reset-failed {unit}")


@pytest.mark.disruptive
@every_node
def test_evidence_of_a_machine_shows_a_failed_unit_and_its_journal(
    failed_unit: tuple[str, str], looked: dict[str, str]
) -> None:
    unit, words = failed_unit
    assert unit in looked["systemctl list-units --failed --plain --no-legend --no-pager"]
    assert words in looked[f"journalctl --no-pager --unit {unit}.service --lines 60"]


@pytest.fixture
def lost_pod(pg_kube: Kube, pg_namespace: str, pg_depot_view: View) -> str:
    """A pod that has ended at once, as ``namespace/name``."""
    pg_kube.core.create_namespaced_pod(
        pg_namespace,
        pod_manifest("lost", pg_depot_view.images["probe"], restartPolicy="Never", container={"args": ["astray"]}),
    )

    def probe() -> None:
        phase = pg_kube.core.read_namespaced_pod("lost", pg_namespace).status.phase
        if phase != "Failed":
            raise NotReady(f"its phase is {phase}")

    pg_kube.timeouts.wait_until("the pod has ended", probe, timeout=20, interval=0.2)
    return f"{pg_namespace}/lost"


@pytest.fixture
def looked_at_cluster(request: pytest.FixtureRequest, pg_kube: Kube) -> dict[str, dict[str, str]]:
    """What the project adds to the evidence of a test that asks the cluster and etcd, by the file's name."""
    test = cast("pytest.Item", SimpleNamespace(config=request.config, fixturenames=["pg_kube", "etcd"]))
    found = {}
    for look, seen in run_collectors([*cluster_collectors(test), *etcd_collectors(test)], pg_kube.timeouts):
        assert seen.trouble == "", look.name
        found[look.name] = sections(seen.text)
    return found


def test_evidence_of_the_cluster_shows_nodes_pods_events_and_what_is_wrong_with_a_pod(
    lost_pod: str, looked_at_cluster: dict[str, dict[str, str]], pg_topology: Topology
) -> None:
    shown = looked_at_cluster["cluster"]
    namespace, name = lost_pod.split("/")
    for node in kubernetes_nodes(pg_topology):
        assert re.search(rf"^{node.name} +Ready\b", shown["kubectl get nodes --output wide"], re.MULTILINE)
    assert re.search(rf"^{namespace} +{name} .*Error", shown["kubectl get pods --all-namespaces --output wide"], re.M)
    assert namespace in shown["kubectl get events --all-namespaces --sort-by .lastTimestamp"]
    assert "Exit Code:" in shown[f"kubectl --namespace {namespace} describe pod {name}"]
    logs = shown[f"kubectl --namespace {namespace} logs --all-containers --prefix --tail 60 {name}"]
    assert "probe: " in logs


def test_evidence_of_etcd_shows_its_health_its_keys_and_its_journal(
    looked_at_cluster: dict[str, dict[str, str]], pg_topology: Topology
) -> None:
    shown = {heading.rpartition("etcdctl ")[2]: text for heading, text in looked_at_cluster["etcd"].items()}
    health = shown["--command-timeout 3s endpoint health --cluster"]
    for node in pg_topology.group("etcd"):
        assert re.search(rf"https://{node.address}:2379 is healthy", health)
    assert str(pg_topology.networks["pods"]) in shown["--command-timeout 3s get --prefix /coreos.com/network"]
    assert "etcd" in shown["journalctl --no-pager --unit etcd --lines 60"]


def test_everybody_who_is_asked_after_a_green_run_tells_all(
    pg_settings: Settings, pg_topology: Topology, pg_kube: Kube, pytestconfig: pytest.Config
) -> None:
    assert pg_kube.core.list_node().items
    asked = [*of_machines(pg_settings, pg_topology), *cluster_checks(pytestconfig)]
    assert {each.source for each in asked} == {"journal", "containers and events", "logs of pods"}
    _, unanswered = ask(asked, pg_kube.timeouts)
    assert unanswered == {}
