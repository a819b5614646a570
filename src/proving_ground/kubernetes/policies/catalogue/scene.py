"""The scene of the catalogue: three namespaces with three pods each, so that each selector finds some and not others.

A pod's ports have names, which mean other numbers in other pods: pods ``b`` serve ``web`` where others serve ``admin``.
"""

from __future__ import annotations

from proving_ground.kubernetes.policies.scene import Pod, Port, Protocol, Scene

FIRST, SECOND = 8080, 8081
"""The numbers of every pod's ports, of each protocol."""

LABELS = {"a": {"pod": "a", "tier": "front"}, "b": {"pod": "b", "tier": "back"}, "c": {"pod": "c"}}
NAMESPACES = {"x": {"ns": "x", "team": "red"}, "y": {"ns": "y", "team": "blue"}, "z": {"ns": "z"}}


def _ports(pod: str) -> tuple[Port, ...]:
    names = ("admin", "web") if pod == "b" else ("web", "admin")
    numbered = tuple(zip((FIRST, SECOND), names, ("dns", "log"), strict=True))
    return (
        *(Port(number, Protocol.TCP, name) for number, name, _ in numbered),
        *(Port(number, Protocol.UDP, name) for number, _, name in numbered),
        Port(FIRST, Protocol.SCTP, "sig"),
    )


SCENE = Scene(
    NAMESPACES,
    tuple(Pod(pod, namespace, labels, _ports(pod)) for namespace in NAMESPACES for pod, labels in LABELS.items()),
)
"""Its pods have no addresses and nodes before they run."""
