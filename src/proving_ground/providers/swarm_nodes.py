"""Look at the engines of a swarm: do they answer, are they nodes of one swarm, and what constraints may name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from typing import Any

from proving_ground.core.errors import MachineError, PreflightError, UsageError
from proving_ground.core.placement import Member
from proving_ground.providers.engine import Engine

WHERE = "engines in [tool.proving-ground]"
JOIN = "run `docker swarm init` on the first engine, and on the others the command that it prints"


def members(engines: Sequence[Engine]) -> tuple[Member, ...]:
    """Return the engines as nodes of their swarm.

    Args:
        engines: all of them answer; the first has to be a manager.

    Raises:
        PreflightError: they are not engines of one swarm, its first is no manager, or one is down for the swarm.
        UsageError: two are the same engine.
    """
    with ThreadPoolExecutor(len(engines)) as pool:
        infos = dict(zip((each.address for each in engines), pool.map(_info, engines), strict=True))
    for address, info in infos.items():
        if info["LocalNodeState"] != "active":
            raise PreflightError(f"{address} is in no swarm ({info['LocalNodeState']})", where=WHERE, hint=JOIN)
    manager = engines[0]
    if not infos[manager.address]["ControlAvailable"]:
        hint = "put a manager first, or promote its node: `docker node promote NODE`"
        raise PreflightError(f"the first, {manager.address}, is no manager of its swarm", where=WHERE, hint=hint)
    known = manager.run("node", "ls", "--format", "{{.ID}}").split()
    nodes = {address: str(info["NodeID"]) for address, info in infos.items()}
    for address, node in nodes.items():
        first = next(each for each in nodes if nodes[each] == node)
        if first != address:
            raise UsageError(f"{first} and {address} are the same engine", where=WHERE, hint="drop one")
        if node not in known:
            text = f"{address} is in another swarm than {manager.address}"
            raise PreflightError(text, where=WHERE, hint=f"let it leave (`docker swarm leave`); then {JOIN}")
    described = json.loads(manager.run("node", "inspect", *nodes.values()))
    by_id = {str(each["ID"]): each for each in described}
    for address, node in nodes.items():
        if (state := by_id[node]["Status"]["State"]) != "ready":
            text = f"{address} answers, but is {state} for its swarm"
            raise PreflightError(
                text, where=WHERE, hint="look at `docker node ls`, and at the network between the nodes"
            )
    return _alike(tuple(Member(address, attributes(by_id[node])) for address, node in nodes.items()))


def attributes(node: dict[str, Any]) -> dict[str, str]:
    """Return what a constraint may name, from what ``docker node inspect`` says of a node."""
    spec, described = node["Spec"], node["Description"]
    platform = described["Platform"]
    return {
        "node.id": str(node["ID"]),
        "node.hostname": str(described["Hostname"]),
        "node.role": str(spec["Role"]),
        "node.platform.os": str(platform["OS"]),
        "node.platform.arch": str(platform["Architecture"]),
        **{f"node.labels.{name}": str(value) for name, value in (spec.get("Labels") or {}).items()},
        **{f"engine.labels.{name}": str(value) for name, value in (described["Engine"].get("Labels") or {}).items()},
    }


def networks(manager: Engine) -> list[tuple[str, IPv4Network]]:
    """Return name and subnet of the networks that the manager knows of; machines' networks must not overlap them."""
    ids = manager.run("network", "ls", "--quiet").split()
    found = json.loads(manager.run("network", "inspect", *ids))
    subnets = [
        (str(each["Name"]), str(config["Subnet"]))
        for each in found
        for config in each["IPAM"]["Config"] or ()
        if "." in str(config.get("Subnet", ""))
    ]
    return [(name, IPv4Network(subnet)) for name, subnet in subnets]


def _info(engine: Engine) -> dict[str, Any]:
    try:
        return dict(json.loads(engine.run("info", "--format", "{{json .Swarm}}")))
    except MachineError as error:
        raise PreflightError(f"{engine.address} does not answer: {error.what}", where=WHERE) from error


def _alike(found: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return them; raises PreflightError if an image of one cannot run on another."""
    names = ("node.platform.os", "node.platform.arch")
    kinds = {" ".join(each.attributes[name] for name in names): each.engine for each in reversed(found)}
    if len(kinds) > 1:
        text = " and ".join(f"{engine} ({kind})" for kind, engine in reversed(kinds.items()))
        hint = "name engines of one kind: each gets the same images"
        raise PreflightError(f"{text} are of different kinds", where=WHERE, hint=hint)
    return found
