"""Certificates on the wire: servers show what lies on disk, and the API is known by every name that clients use."""

from __future__ import annotations

import pytest
from testinfra.host import Host

from fixtures.credentials import certificates
from fixtures.listeners import declared
from fixtures.machine_facts import Facts
from fixtures.pki import Pki
from fixtures.served_certificates import SECONDS, Target, connect
from fixtures.virtual_address import PORT, virtual_address
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.kubernetes.tls import Verdict

pytestmark = [
    pytest.mark.order(76),
    pytest.mark.role("configure/etcd", "configure/kube-master", "configure/kube-worker", "configure/virtual-address"),
]

AUTHORITY = "/etc/kubernetes/pki/ca.pem"
NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
)


@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_servers_of_the_machine_show_the_certificates_on_its_disk(
    host: Host, pg_node: Node, machine_facts: dict[str, Facts], pg_settings: Settings, pg_timeouts: Timeouts
) -> None:
    lines = [line for line in declared(pg_node) if line.serves]
    targets = [
        Target(line.to_connect(pg_node), int(line.port), pg_node.name, timeout=pg_timeouts.seconds(SECONDS))
        for line in lines
    ]
    on_disk = dict(certificates(machine_facts[pg_node.name].files))
    wrong = []
    for line, shown in zip(lines, connect(host, pg_settings.project.python, targets), strict=True):
        server = f"{line.process} on port {line.port}"
        if line.serves not in on_disk:
            wrong.append(f"{server}: there is no certificate {line.serves}")
        elif shown.certificate is None:
            wrong.append(f"{server}: {shown.error}")
        elif shown.certificate != on_disk[line.serves]:
            number, own = shown.certificate.serial_number, on_disk[line.serves].serial_number
            wrong.append(f"{server} shows the certificate {number:x}, {line.serves} is {own:x}: restart it")
    assert lines, f"no server of {pg_node.name} is declared to have a certificate"
    assert wrong == [], pg_node.name


def api_names(topology: Topology) -> list[str]:
    """Every name and address by which clients call an API server."""
    shared = [str(address) for address in [virtual_address(topology)] if address is not None]
    masters = [text for node in topology.group("kube_master") for text in (node.name, str(node.address))]
    return [*NAMES, str(topology.networks["services"][1]), "127.0.0.1", *masters, *shared]


@pytest.mark.hosts("kube_master")
def test_api_server_is_known_by_every_name_that_clients_use_and_by_no_other(
    pg_node: Node, pki: Pki, pg_topology: Topology
) -> None:
    def ask(name: str) -> tuple[Verdict, int, str]:
        answer = pki.ask(
            f"https://{pg_node.address}:{PORT}/readyz",
            authority=pki.certificate("ca"),
            identity=pki.identity("admin"),
            server_name=name,
        )
        return answer.verdict, answer.status, answer.reason

    names = api_names(pg_topology)
    found = {name: ask(name) for name in names}
    assert found == dict.fromkeys(names, (Verdict.ANSWERED, 200, "")), (
        f"{pg_node.name}: the certificate of its API server lacks names: see ca_certificates of the role configure/ca"
    )
    foreign = ["kubernetes.example", "example.svc.cluster.local", str(pg_topology.networks["services"][2])]
    assert {name: ask(name) for name in foreign} == dict.fromkeys(
        foreign, (Verdict.ERROR, 0, "CERTIFICATE_VERIFY_FAILED")
    ), f"{pg_node.name} is known by names that are not its own"


@pytest.mark.hosts("kube_master", "kube_worker")
def test_node_reaches_the_api_at_every_address_that_clients_use(
    host: Host, pg_node: Node, pg_settings: Settings, pg_timeouts: Timeouts, pg_topology: Topology
) -> None:
    service, shared = str(pg_topology.networks["services"][1]), virtual_address(pg_topology)
    ways = {service: 443} | {str(master.address): PORT for master in pg_topology.group("kube_master")}
    if shared is not None:
        ways[str(shared)] = PORT
    if "kube_master" in pg_node.groups:
        ways["127.0.0.1"] = PORT
    seconds = pg_timeouts.seconds(SECONDS)
    targets = [Target(address, port, address, AUTHORITY, seconds) for address, port in ways.items()]
    # The same server, by a name that it does not have: what is verified can fail.
    targets.append(Target(service, 443, "kubernetes.example", AUTHORITY, seconds))
    *answers, refused = connect(host, pg_settings.project.python, targets)
    errors = {address: shown.error for address, shown in zip(ways, answers, strict=True) if shown.error}
    assert errors == {}, f"{pg_node.name} does not reach the API at these addresses, or does not trust it there"
    assert "Hostname mismatch" in refused.error, refused
