"""Certificates: who signed them, whom they name, what they are good for, how long, and who can read the keys."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from testinfra.host import Host

from fixtures.cluster_nodes import kubernetes_nodes
from fixtures.pki import Pki
from fixtures.virtual_address import virtual_address
from proving_ground.core.topology import Node, Topology
from proving_ground.kubernetes.tls import Verdict

pytestmark = [pytest.mark.order(30), pytest.mark.role("configure/ca")]

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")
ADMINISTRATORS, ALMIGHTY = "cluster-administrators", "system:masters"


@dataclass(frozen=True)
class Leaf:
    """What a certificate has to be: signer, purposes, and whom it names."""

    authority: str
    purposes: frozenset[x509.ObjectIdentifier]
    common_name: str = ""
    organization: str = ""


def client(authority: str, common_name: str = "", organization: str = "") -> Leaf:
    return Leaf(authority, frozenset({CLIENT}), common_name, organization)


def server(authority: str) -> Leaf:
    return Leaf(authority, frozenset({SERVER}))


def planned(topology: Topology) -> dict[str, Leaf]:
    """Every certificate that the cluster of this plan has to have."""
    leaves = {
        "apiserver": server("ca"),
        "apiserver-kubelet-client": client("ca", "kube-apiserver-kubelet-client"),
        "front-proxy-client": client("front-proxy-ca", "front-proxy-client"),
        "controller-manager": client("ca", "system:kube-controller-manager"),
        "scheduler": client("ca", "system:kube-scheduler"),
        "kube-proxy": client("ca", "system:kube-proxy"),
        "calico-node": client("ca", "calico-node"),
        "calico-cni": client("ca", "calico-cni"),
        "admin": client("ca", "kubernetes-admin", ADMINISTRATORS),
        "super-admin": client("ca", "kubernetes-super-admin", ALMIGHTY),
        "etcd-client-apiserver": client("etcd-ca"),
        "etcd-client-flannel": client("etcd-ca"),
        "etcd-client-root": client("etcd-ca"),
    }
    for node in topology.group("etcd"):
        leaves[f"etcd-server-{node.name}"] = server("etcd-ca")
        # Members are each other's clients and servers at once.
        leaves[f"etcd-peer-{node.name}"] = Leaf("etcd-ca", frozenset({CLIENT, SERVER}))
    for node in topology.group("kube_master"):
        leaves[f"controller-manager-server-{node.name}"] = leaves[f"scheduler-server-{node.name}"] = server("ca")
    for node in kubernetes_nodes(topology):
        leaves[f"kubelet-server-{node.name}"] = server("ca")
        leaves[f"kubelet-client-{node.name}"] = client("ca", f"system:node:{node.name}", "system:nodes")
    return leaves


@pytest.fixture(scope="module")
def leaves(pg_topology: Topology) -> dict[str, Leaf]:
    return planned(pg_topology)


def names(certificate: x509.Certificate) -> set[str]:
    """Every name and address that a server may bear with this certificate."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return {*alternatives.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    return ", ".join(str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid))


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return True


def servers_of_one_node(topology: Topology) -> Iterator[tuple[str, Node]]:
    for node in topology.group("etcd"):
        yield f"etcd-server-{node.name}", node
        yield f"etcd-peer-{node.name}", node
    for node in kubernetes_nodes(topology):
        yield f"kubelet-server-{node.name}", node


@pytest.mark.smoke
def test_certificate_is_signed_by_its_own_authority_and_by_no_other(pki: Pki, leaves: dict[str, Leaf]) -> None:
    authorities = {name: pki.load(name) for name in AUTHORITIES}
    signers = {
        name: {authority for authority in authorities if signed_by(pki.load(name), authorities[authority])}
        for name in leaves
    }
    assert signers == {name: {leaf.authority} for name, leaf in leaves.items()}


def test_authorities_alone_can_sign(pki: Pki, leaves: dict[str, Leaf]) -> None:
    def can_sign(name: str) -> bool:
        extensions = pki.load(name).extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        assert constraints.critical, f"{name}: whether it is an authority is not marked critical"
        return constraints.value.ca or usage.key_cert_sign

    assert {name for name in (*AUTHORITIES, *leaves) if can_sign(name)} == set(AUTHORITIES)


def test_authority_signs_leaves_and_no_further_authority(pki: Pki) -> None:
    for name in AUTHORITIES:
        constraints = pki.load(name).extensions.get_extension_for_class(x509.BasicConstraints).value
        assert constraints.path_length == 0, f"{name} may sign other authorities"


def test_certificate_serves_its_one_purpose(pki: Pki, leaves: dict[str, Leaf]) -> None:
    purposes = {
        name: frozenset(pki.load(name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        for name in leaves
    }
    assert purposes == {name: leaf.purposes for name, leaf in leaves.items()}


def test_client_certificate_names_whom_the_cluster_takes_it_for(pki: Pki, leaves: dict[str, Leaf]) -> None:
    expected = {name: (leaf.common_name, leaf.organization) for name, leaf in leaves.items() if leaf.common_name}
    actual = {}
    for name in expected:
        certificate = pki.load(name)
        groups = subject(certificate, NameOID.ORGANIZATION_NAME) if expected[name][1] else ""
        actual[name] = (subject(certificate, NameOID.COMMON_NAME), groups)
    assert actual == expected


@pytest.mark.parametrize(("group", "members"), [(ADMINISTRATORS, {"admin"}), (ALMIGHTY, {"super-admin"})])
def test_administrator_alone_may_do_everything(
    pki: Pki, leaves: dict[str, Leaf], group: str, members: set[str]
) -> None:
    # One more member of these groups would be a second key to the whole cluster; no machine has that of super-admin.
    almighty = {name for name in leaves if group in subject(pki.load(name), NameOID.ORGANIZATION_NAME)}
    assert almighty == members


def test_api_server_is_known_by_every_name_it_is_called(pki: Pki, pg_topology: Topology) -> None:
    first_service = pg_topology.networks["services"][1]
    called = {"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
    called |= {str(first_service), "localhost", "127.0.0.1"}
    called |= {text for node in pg_topology.group("kube_master") for text in (node.name, str(node.address))}
    called |= {str(address) for address in [virtual_address(pg_topology)] if address is not None}
    assert called <= names(pki.load("apiserver"))


def test_server_certificate_of_a_node_names_no_other_node(pki: Pki, pg_topology: Topology) -> None:
    for name, own in servers_of_one_node(pg_topology):
        borne = names(pki.load(name))
        assert str(own.address) in borne, f"{name} does not name {own.address}"
        others = {text for node in pg_topology.nodes if node != own for text in (node.name, str(node.address))}
        assert not borne & others, f"{name} names {borne & others}"


@pytest.mark.order(75)  # asks a live kubelet: that one is down is for the workers' suite to say first
@pytest.mark.role("configure/kube-worker")
@pytest.mark.hosts("kube_worker")
def test_certificate_of_a_worker_cannot_serve_as_anothers(
    pg_node: Node,
    pki: Pki,
    pg_topology: Topology,
) -> None:
    authority = pki.certificate("ca")
    url = f"https://{pg_node.address}:10250/healthz"
    unused = IPv4Address(pg_topology.networks["machines"][-2])
    others = [other.address for other in pg_topology.nodes if other != pg_node] or [unused]
    assert pki.ask(url, authority=authority).verdict is Verdict.ANSWERED, "it does not even serve as its own"
    for other in others:
        answer = pki.ask(url, authority=authority, server_name=str(other))
        assert (answer.verdict, answer.reason) == (Verdict.ERROR, "CERTIFICATE_VERIFY_FAILED"), f"as {other}: {answer}"


def test_certificate_is_in_force_and_does_not_outlive_its_authority(pki: Pki, leaves: dict[str, Leaf]) -> None:
    now = datetime.datetime.now(datetime.UTC)
    ends = {name: pki.load(name).not_valid_after_utc for name in (*AUTHORITIES, *leaves)}
    for name, end in ends.items():
        assert pki.load(name).not_valid_before_utc <= now, f"{name} is not in force yet"
        assert end - now > datetime.timedelta(days=14), f"{name} ends {end:%Y-%m-%d} and has not been renewed"
    for name, leaf in leaves.items():
        assert ends[name] <= ends[leaf.authority], f"{name} outlives {leaf.authority}"
        assert ends[name] - now < datetime.timedelta(days=826), f"{name} is good for longer than anybody accepts"


def test_key_belongs_to_its_certificate_and_to_no_other(pki: Pki, leaves: dict[str, Leaf]) -> None:
    public = {}
    for name in (*AUTHORITIES, *leaves):
        key = load_pem_private_key(pki.identity(name).key.read_bytes(), None).public_key()
        public[name] = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert key == pki.load(name).public_key(), f"{name}-key.pem is not the key of {name}.pem"
    assert len(set(public.values())) == len(public), "certificates share a key"


def test_keys_on_the_controller_are_their_owners_alone(pki: Pki) -> None:
    secret = [*pki.directory.glob("*-key.pem"), pki.directory / "encryption-key"]
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in secret}
    assert len(modes) > len(AUTHORITIES), "no keys were found to look at"
    assert {name: mode for name, mode in modes.items() if mode != "600"} == {}
    assert f"{pki.directory.stat().st_mode & 0o777:o}" == "700"


WHERE_KEYS_GO = pytest.mark.role("configure/etcd", "configure/kube-node", "configure/kube-master")
"""The roles that put keys on nodes."""


def secret_files(host: Host) -> list[str]:
    """Files that hold a key, found by content: a kubeconfig holds one as well. Host keys are sshd's own matter."""
    secret = "PRIVATE KEY|client-key-data: .|secretbox:|aescbc:|aesgcm:"
    search = f"grep --recursive --binary-files=without-match --files-with-matches --extended-regexp '{secret}' /etc"
    paths = [path for path in host.run(search).stdout.splitlines() if not path.startswith("/etc/ssh/")]
    assert paths, "no keys were found to look at"
    return paths


@WHERE_KEYS_GO
@pytest.mark.hosts("etcd", "kube_master", "kube_worker")
def test_keys_on_a_node_are_their_owners_alone(host: Host) -> None:
    listed = host.check_output(f"stat --dereference --format='%a %U %n' {' '.join(secret_files(host))}").splitlines()
    assert [line for line in listed if not line.startswith(("600 root /", "600 etcd /etc/etcd/"))] == []
