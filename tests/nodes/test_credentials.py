"""Keys and certificates on machines, found by their content: keys only where they may be, certificates that last."""

from __future__ import annotations

import datetime

import pytest
from cryptography.x509 import Certificate

from fixtures.credentials import TABLE, Key, certificates, holders, keys, made, possible_encryption_keys
from fixtures.machine_facts import Facts
from fixtures.pki import Pki
from proving_ground.core.topology import Node, Topology

pytestmark = [
    pytest.mark.order(75),
    pytest.mark.role("configure/etcd", "configure/kube-node", "configure/kube-master", "configure/kube-worker"),
]

every_machine = pytest.mark.hosts("etcd", "kube_master", "kube_worker")
OWN_KEYS = "/etc/ssh/ssh_host_"
"""A machine's own keys, by which people know it."""
LASTS = datetime.timedelta(days=30)


@pytest.fixture(scope="module")
def known_keys(pki: Pki) -> dict[str, str]:
    """Fingerprint → name of each key that the playbook has made."""
    return made(pki.directory)


def held(facts: Facts, known: dict[str, str]) -> dict[str, list[str]]:
    """Name of each of these keys that the machine holds → files that hold it."""
    candidates = [*keys(facts.files), *possible_encryption_keys(facts.files)]
    found: dict[str, list[str]] = {}
    for key in candidates:
        if key.fingerprint in known:
            found.setdefault(known[key.fingerprint], []).append(key.path)
    return found


def test_table_says_for_every_key_who_may_hold_it(known_keys: dict[str, str], pg_topology: Topology) -> None:
    unknown = set(known_keys.values()) ^ set(holders(pg_topology))
    assert unknown == set(), f"{TABLE.parent.name}/{TABLE.name} does not name the keys that were made, and only those"


@every_machine
def test_machine_holds_its_own_keys_and_no_others(
    pg_node: Node, machine_facts: dict[str, Facts], known_keys: dict[str, str], pg_topology: Topology
) -> None:
    allowed = {name for name, machines in holders(pg_topology).items() if pg_node.name in machines}
    found = held(machine_facts[pg_node.name], known_keys)
    foreign = {name: paths for name, paths in found.items() if name not in allowed}
    assert foreign == {}, f"{pg_node.name} holds keys that it must not have: remove these files, and replace the keys"
    assert allowed - set(found) == set(), (
        f"{pg_node.name} lacks keys of its own, or they are not where they were looked for"
    )


@every_machine
def test_machine_holds_no_key_that_nobody_has_made(
    pg_node: Node, machine_facts: dict[str, Facts], known_keys: dict[str, str]
) -> None:
    def is_foreign(key: Key) -> bool:
        return key.fingerprint not in known_keys and not key.path.startswith(OWN_KEYS)

    found = [key.path for key in keys(machine_facts[pg_node.name].files) if is_foreign(key)]
    assert found == [], f"{pg_node.name}: neither the playbook nor the machine has made the keys in these files"


@every_machine
def test_certificates_on_the_machine_last(pg_node: Node, machine_facts: dict[str, Facts]) -> None:
    found = [*certificates(machine_facts[pg_node.name].files)]
    assert found, f"{pg_node.name}: no certificates were found to look at"
    soon = datetime.datetime.now(datetime.UTC) + LASTS
    ending = {path: f"{each.not_valid_after_utc:%Y-%m-%d}" for path, each in found if each.not_valid_after_utc < soon}
    assert ending == {}, f"{pg_node.name}: certificates end within {LASTS.days} days: converge the role configure/ca"


@every_machine
def test_certificates_on_the_machine_are_those_that_the_playbook_has_made(
    pg_node: Node, machine_facts: dict[str, Facts], pki: Pki
) -> None:
    made_here = {path.name: path.read_bytes() for path in pki.directory.glob("*.pem")}
    known = {identity(each) for _, each in certificates(made_here)}
    other = {path for path, each in certificates(machine_facts[pg_node.name].files) if identity(each) not in known}
    assert other == set(), f"{pg_node.name}: these are not the controller's certificates, or no longer: converge it"


def identity(certificate: Certificate) -> tuple[str, int]:
    return certificate.issuer.rfc4514_string(), certificate.serial_number
