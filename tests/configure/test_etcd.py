"""etcd: its members, where it listens, whom it lets in, and what it keeps."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from testinfra.host import Host

from fixtures.api import patient
from fixtures.etcd import CLIENT_PORT, NETWORK_KEY, PEER_PORT, Etcd
from fixtures.etcd_writer import Writer, Writes
from fixtures.pki import Issue, Pki
from proving_ground.core.polling import NotReady
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.tls import Answer, Identity, Verdict
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.hosts import Hosts
from proving_ground.machines.node_facts import listeners, unit_state

pytestmark = [pytest.mark.order(40), pytest.mark.role("configure/etcd")]

LEADERLESS = 3.0
"""Seconds for which etcd may take no write when its leader has died."""
PORTS = [pytest.param(CLIENT_PORT, id="clients"), pytest.param(PEER_PORT, id="peers")]


def knock(pki: Pki, node: Node, port: int, identity: Identity | None) -> Answer:
    return pki.ask(f"https://{node.address}:{port}/version", authority=pki.certificate("etcd-ca"), identity=identity)


@pytest.mark.smoke
@pytest.mark.hosts("etcd")
def test_etcd_daemon_runs(host: Host) -> None:
    assert unit_state(host, "etcd.service") == "active (running)"


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
def test_etcd_listens_on_the_private_address(host: Host, pg_node: Node, port: int) -> None:
    assert listeners(host).get(port, set()) - {"127.0.0.1", "::1"} == {str(pg_node.address)}


@pytest.mark.smoke
def test_etcd_members_are_as_planned(etcd: Etcd) -> None:
    members = etcd.json("member", "list")["members"]
    found = {each.get("name"): (each.get("peerURLs"), each.get("clientURLs")) for each in members}
    assert found == {
        node.name: ([f"https://{node.address}:{PEER_PORT}"], [f"https://{node.address}:{CLIENT_PORT}"])
        for node in etcd.members
    }


def test_etcd_members_are_healthy_and_agree_on_one_leader(etcd: Etcd) -> None:
    statuses = [each["Status"] for each in etcd.json("endpoint", "status", "--cluster")]
    assert len(statuses) == len(etcd.members)
    assert len({status["leader"] for status in statuses}) == 1
    assert statuses[0]["leader"] in {status["header"]["member_id"] for status in statuses}
    health = etcd.json("endpoint", "health", "--cluster")
    assert [each for each in health if not each["health"]] == []


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
def test_etcd_lets_in_a_client_of_its_authority(pg_node: Node, pki: Pki, port: int) -> None:
    answer = knock(pki, pg_node, port, pki.identity("etcd-client-root"))
    assert (answer.verdict, answer.status) == (Verdict.ANSWERED, 200), answer
    assert "etcdserver" in json.loads(answer.body)


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
def test_etcd_refuses_a_client_without_a_certificate(pg_node: Node, pki: Pki, port: int) -> None:
    answer = knock(pki, pg_node, port, None)
    assert answer.verdict is Verdict.REFUSED, answer


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
def test_etcd_refuses_a_client_of_another_authority(pg_node: Node, pki: Pki, port: int) -> None:
    # The mightiest certificate of the cluster, but not one for etcd.
    answer = knock(pki, pg_node, port, pki.identity("admin"))
    assert answer.verdict is Verdict.REFUSED, answer


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
def test_etcd_refuses_a_forged_client(pg_node: Node, pki: Pki, issue_certificate: Issue, port: int) -> None:
    forged = issue_certificate("root", imitate=pki.certificate("etcd-ca"))
    answer = knock(pki, pg_node, port, forged)
    assert answer.verdict is Verdict.REFUSED, answer


@pytest.mark.hosts("etcd")
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    "flaw",
    [
        pytest.param({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, id="for-servers"),
        pytest.param({"expired": True}, id="expired"),
    ],
)
def test_etcd_refuses_a_certificate_of_its_own_authority_that_is(
    pg_node: Node,
    pki: Pki,
    issue_certificate: Issue,
    port: int,
    flaw: dict[str, object],
) -> None:
    authority = pki.identity("etcd-ca")
    sound, flawed = (
        issue_certificate("probe", authority=authority),
        issue_certificate("probe", authority=authority, **flaw),
    )
    assert knock(pki, pg_node, port, sound).verdict is Verdict.ANSWERED, "it refuses one without the flaw as well"
    answer = knock(pki, pg_node, port, flawed)
    assert answer.verdict is Verdict.REFUSED, answer


@pytest.mark.role("configure/kube-master")
@pytest.mark.smoke
def test_etcd_holds_the_planned_pod_network(etcd: Etcd, pg_topology: Topology) -> None:
    value = etcd.get(NETWORK_KEY)
    assert value is not None, f"etcd has no key {NETWORK_KEY}"
    config = json.loads(value)
    assert config["Network"] == str(pg_topology.networks["pods"])
    assert config["Backend"]["Type"] == "vxlan"


@pytest.mark.role("configure/kube-master")
def test_etcd_shows_flannel_its_own_keys_and_no_others(etcd: Etcd, pki: Pki, pg_depot_view: View) -> None:
    """A worker holds flannel's certificate: whoever takes a worker must not read the whole cluster with it."""
    flannel = pki.identity("etcd-client-flannel")

    def get(key: str) -> subprocess.CompletedProcess[str]:
        words = [
            str(pg_depot_view.path / "bin" / "etcdctl"),
            f"--endpoints=https://{etcd.members[0].address}:{CLIENT_PORT}",
            f"--cacert={pki.certificate('etcd-ca')}",
            f"--cert={flannel.certificate}",
            f"--key={flannel.key}",
            "get",
            key,
        ]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=etcd.timeouts.seconds(20))

    assert get(NETWORK_KEY).returncode == 0, "it cannot read its own key either"
    refused = get("/registry/namespaces/default")
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(910)
@pytest.mark.hosts("etcd")
def test_etcd_keeps_a_written_key_over_a_restart(host: Host, pg_node: Node, etcd: Etcd, pg_kube: Kube) -> None:
    key, value = f"/proving-ground/{secrets.token_hex(4)}", secrets.token_hex(16)
    etcd.run("put", key, value, member=pg_node)
    try:
        before = main_pid(host)
        host.check_output("systemctl restart etcd.service")
        assert main_pid(host) != before

        def read() -> bytes | None:
            try:
                return etcd.get(key, member=pg_node)
            except AssertionError as failure:
                raise NotReady(str(failure)) from failure

        kept = etcd.timeouts.wait_until(f"etcd on {pg_node.name} answers again", read, timeout=30)
        assert kept == value.encode()
    finally:
        etcd.run("del", key)
        etcd.timeouts.wait_until("the API server has found etcd again", api_answers(pg_kube), timeout=60)


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(920)
def test_etcd_answers_without_one_of_its_members(etcd: Etcd, pg_hosts: Hosts, pg_kube: Kube) -> None:
    if len(etcd.members) < 3:
        pytest.skip("fewer than three members cannot spare one")
    lost, asked = etcd.members[-1], etcd.members[0]
    key, value = f"/proving-ground/{secrets.token_hex(4)}", secrets.token_hex(16)
    pg_hosts[lost.name].check_output("systemctl stop etcd.service")
    try:
        etcd.timeouts.wait_until("the others take a key", lambda: put(etcd, key, value, asked), timeout=30)
        assert etcd.get(key, member=etcd.members[1]) == value.encode()
        etcd.timeouts.wait_until("the API server answers", api_answers(pg_kube), timeout=30)
    finally:
        pg_hosts[lost.name].check_output("systemctl start etcd.service")
        etcd.run("del", key)
    # It has missed the key's coming and going, and catches up.
    etcd.timeouts.wait_until(f"{lost.name} is one of them again", lambda: put(etcd, key, value, lost), timeout=30)
    assert etcd.get(key, member=asked) == value.encode()
    etcd.run("del", key)


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(921)
def test_etcd_loses_no_write_when_its_leader_dies(
    etcd: Etcd, pg_hosts: Hosts, pki: Pki, pg_depot_view: View, pg_kube: Kube
) -> None:
    """Another member leads within seconds; the one that has died is started again by systemd and follows."""
    if len(etcd.members) < 3:
        pytest.skip("fewer than three members cannot spare one")
    dying = etcd.members[0]
    lead(etcd, dying)
    writer = Writer(etcd, pki, pg_depot_view)
    writer.start()
    try:
        etcd.timeouts.wait_until("it has taken ten writes", lambda: has_taken(writer, 10), timeout=30, interval=0.05)
        before = writer.count
        pg_hosts[dying.name].check_output("systemctl kill --signal=KILL etcd.service")
        what = "it has taken ten more without its leader"
        etcd.timeouts.wait_until(what, lambda: has_taken(writer, before + 10), timeout=30, interval=0.05)
    finally:
        writes = writer.end()
        etcd.timeouts.wait_until(f"{dying.name} is one of them again", lambda: healthy(etcd, dying), timeout=30)
        etcd.timeouts.wait_until("the API server has found etcd again", api_answers(pg_kube), timeout=60)
    assert writes.lost == ()
    assert writes.pause <= etcd.timeouts.seconds(LEADERLESS), writes.errors


def has_taken(writer: Writer, count: int) -> None:
    if writer.count < count:
        raise NotReady(f"it has taken {writer.count}")


def healthy(etcd: Etcd, member: Node) -> None:
    try:
        etcd.run("endpoint", "health", member=member)
    except AssertionError as failure:
        raise NotReady(str(failure)) from failure


@dataclass(frozen=True)
class Restart:
    """When a member stopped, and when it was one of them again."""

    member: str
    stopped: datetime
    ready: datetime


@dataclass(frozen=True)
class Renewal:
    """New certificates for all members, by the playbook: how they restarted, and what a client saw meanwhile."""

    leader: str
    restarts: tuple[Restart, ...]
    writes: Writes


def restart_of(host: Host, member: str) -> Restart:
    """The last restart of a member as its systemd saw it; ``ready`` means that it had joined the others."""
    command = "systemctl show --timestamp=us+utc --property=ActiveExitTimestamp,ActiveEnterTimestamp etcd.service"
    shown = dict(line.split("=", 1) for line in host.check_output(command).splitlines())
    stopped, ready = (
        datetime.strptime(shown[f"Active{name}Timestamp"], "%a %Y-%m-%d %H:%M:%S.%f %Z") for name in ("Exit", "Enter")
    )
    return Restart(member, stopped, ready)


def lead(etcd: Etcd, member: Node) -> None:
    """Make a member the leader."""
    status = etcd.json("endpoint", "status", member=member)[0]["Status"]
    wanted = status["header"]["member_id"]
    if status["leader"] == wanted:
        return
    for other in etcd.members:
        if etcd.json("endpoint", "status", member=other)[0]["Status"]["header"]["member_id"] == status["leader"]:
            etcd.run("move-leader", f"{wanted:x}", member=other)


def renew(machines: Lifecycle, pki: Pki, names: list[str]) -> None:
    """Have the playbook make certificates anew, and hand them out to etcd."""
    for name in names:
        pki.certificate(name).unlink()
    machines.converge("--tags=ca,etcd")


@pytest.fixture(scope="module")
def renewal(
    etcd: Etcd, pg_hosts: Hosts, pki: Pki, pg_depot_view: View, pg_machines: Lifecycle, pg_kube: Kube
) -> Renewal:
    """A renewal of all members' certificates."""
    if len(etcd.members) < 3:
        pytest.skip("fewer than three members cannot spare one")
    before = {member.name: main_pid(pg_hosts[member.name]) for member in etcd.members}
    leader = etcd.members[0]  # the first whose turn it would be
    lead(etcd, leader)
    writer = Writer(etcd, pki, pg_depot_view)
    writer.start()
    try:
        renew(
            pg_machines, pki, [f"etcd-{kind}-{member.name}" for kind in ("server", "peer") for member in etcd.members]
        )
    finally:
        writes = writer.end()
    etcd.timeouts.wait_until("the API server has found etcd again", api_answers(pg_kube), timeout=60)
    unchanged = [name for name, process in before.items() if main_pid(pg_hosts[name]) == process]
    assert unchanged == [], "members did not restart, although their certificates are new"
    restarts = tuple(restart_of(pg_hosts[member.name], member.name) for member in etcd.members)
    return Renewal(leader.name, restarts, writes)


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(930)
def test_etcd_members_with_new_certificates_restart_one_at_a_time(renewal: Renewal) -> None:
    in_order = sorted(renewal.restarts, key=lambda restart: restart.stopped)
    at_once = [
        f"{later.member} stopped at {later.stopped:%T.%f}, {earlier.member} was ready at {earlier.ready:%T.%f}"
        for earlier, later in pairwise(in_order)
        if later.stopped < earlier.ready
    ]
    assert at_once == []


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(931)
def test_etcd_leader_restarts_last(renewal: Renewal) -> None:
    """Leadership moves once then, and not from one member that is about to restart to the next."""
    in_order = sorted(renewal.restarts, key=lambda restart: restart.stopped)
    assert in_order[-1].member == renewal.leader


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(932)
def test_etcd_takes_writes_while_its_members_restart(renewal: Renewal, pg_timeouts: Timeouts) -> None:
    assert renewal.writes.count > 10, renewal.writes.errors
    assert renewal.writes.pause < pg_timeouts.seconds(3), renewal.writes.errors


@pytest.mark.disruptive
@pytest.mark.role("configure/kube-master")
@pytest.mark.order(933)
def test_etcd_keeps_what_it_has_acknowledged_while_its_members_restart(renewal: Renewal) -> None:
    assert renewal.writes.lost == ()


@pytest.mark.disruptive
@pytest.mark.order(940)
def test_etcd_members_trust_each_other_after_a_new_authority(
    etcd: Etcd, pg_hosts: Hosts, pki: Pki, pg_machines: Lifecycle, pg_kube: Kube
) -> None:
    if len(etcd.members) < 3:
        pytest.skip("fewer than three members are asked for nothing by each other")
    before = {member.name: main_pid(pg_hosts[member.name]) for member in etcd.members}
    serial = pki.load("etcd-ca").serial_number
    pki.certificate("etcd-ca").unlink()
    pg_machines.converge()  # all of it: flannel and the API server get certificates of the new authority as well
    assert pki.load("etcd-ca").serial_number != serial
    assert [name for name, process in before.items() if main_pid(pg_hosts[name]) == process] == []
    health = etcd.json("endpoint", "health", "--cluster")
    assert {each["endpoint"]: each["health"] for each in health} == {
        f"https://{member.address}:{CLIENT_PORT}": True for member in etcd.members
    }
    etcd.timeouts.wait_until("the API server has found etcd again", api_answers(pg_kube), timeout=60)


def main_pid(host: Host) -> str:
    return str(host.check_output("systemctl show --property=MainPID --value etcd.service"))


def put(etcd: Etcd, key: str, value: str, member: Node) -> None:
    try:
        etcd.run("put", key, value, member=member)
    except AssertionError as failure:  # an election is under way
        raise NotReady(str(failure)) from failure


def api_answers(kube: Kube) -> Callable[[], object]:
    return patient(lambda: kube.core.list_namespace(limit=1, _request_timeout=5))
