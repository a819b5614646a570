"""Cases about ports: numbers, names, ranges, protocols; each as ingress and as egress, and together with peers."""

from __future__ import annotations

from proving_ground.kubernetes.policies.catalogue.scene import FIRST, SECOND
from proving_ground.kubernetes.policies.catalogue.words import (
    EGRESS,
    INGRESS,
    Field,
    block,
    both_ways,
    case,
    labels,
    namespaces,
    pods,
    policy,
    port,
    rule,
)

PORTS: dict[str, list[Field]] = {
    "a port without a protocol": [port(FIRST)],
    "a port of TCP": [port(FIRST, protocol="TCP")],
    "a port of UDP": [port(SECOND, protocol="UDP")],
    "a port of both protocols": [port(FIRST), port(FIRST, protocol="UDP")],
    "one port of TCP and another of UDP": [port(FIRST), port(SECOND, protocol="UDP")],
    "two ports": [port(FIRST), port(SECOND)],
    "a port that nobody serves": [port(9999)],
    "every port of TCP": [port(protocol="TCP")],
    "every port of UDP": [port(protocol="UDP")],
    "every port, of the protocol that is meant without one": [{}],
    "every port of TCP and one of UDP": [port(protocol="TCP"), port(FIRST, protocol="UDP")],
    "a port by its name, which is another number elsewhere": [port("web")],
    "a port of UDP by its name": [port("dns", protocol="UDP")],
    "a port by the name of another protocol's": [port("dns")],
    "a port by a name that none has": [port("nobody")],
    "a port by its name and one by number": [port("admin"), port(FIRST, protocol="UDP")],
    "ports by two names": [port("web"), port("log", protocol="UDP")],
    "a range of both ports": [port(FIRST, SECOND)],
    "a range that begins with the second port": [port(SECOND, 9000)],
    "a range that ends with the first port": [port(1, FIRST)],
    "a range of one port": [port(SECOND, SECOND)],
    "a range that ends before the ports": [port(1, FIRST - 1)],
    "a range of UDP": [port(SECOND, 65535, "UDP")],
    "a range of TCP and a port of UDP": [port(FIRST, SECOND), port(SECOND, protocol="UDP")],
    "two ranges with a gap": [port(8000, FIRST), port(SECOND + 1, 9000)],
    "all numbers as a range": [port(1, 65535)],
    "a port of SCTP": [port(FIRST, protocol="SCTP")],
    "every port of SCTP": [port(protocol="SCTP")],
}

WITH_PEERS: dict[str, tuple[list[Field], list[Field]]] = {
    "a namespace, at one port": ([namespaces(labels(ns="y"))], [port(FIRST)]),
    "pods with a label, at a port of UDP": ([pods(labels(pod="b"))], [port(SECOND, protocol="UDP")]),
    "pods of a namespace, at a named port": ([namespaces(labels(ns="z"), labels(pod="b"))], [port("web")]),
    "an address, at a range of ports": ([block("{y/b}")], [port(SECOND, 9000)]),
    "everywhere but for an address, at one port": ([block("{x/a}/0", "{z/b}")], [port(FIRST)]),
}

CASES = (
    *(case_ for what, ports in PORTS.items() for case_ in both_ways(what, (), ports)),
    *(case_ for what, (peers, ports) in WITH_PEERS.items() for case_ in both_ways(what, peers, ports)),
    *(
        case(
            f"{direction.lower()} by two rules, each with peers and ports of its own",
            policy(
                direction,
                rule(direction, [namespaces(labels(ns="y"))], [port(FIRST)]),
                rule(direction, [pods(labels(pod="b"))], [port(SECOND, protocol="UDP")]),
            ),
        )
        for direction in (INGRESS, EGRESS)
    ),
    *(
        case(
            f"{direction.lower()} by a rule of peers and a rule of ports, which add up",
            policy(direction, rule(direction, [namespaces(labels(ns="z"))]), rule(direction, (), [port(SECOND)])),
        )
        for direction in (INGRESS, EGRESS)
    ),
)
