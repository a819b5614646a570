"""Refuse a playbook that has no host: before machines are made where its text says so, else after it has run."""

from __future__ import annotations

from pathlib import Path

from proving_ground.ansible.playbook import is_for_nobody
from proving_ground.core.errors import ConvergeError
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology


def idle(topology: Topology, playbook: str, log: Path | None = None) -> ConvergeError:
    """Return the error of a playbook that runs no task: Ansible only warns about hosts that match no machine.

    Args:
        topology: the machines.
        playbook: its path, relative to the project's root directory.
        log: Ansible's output, if it has run.
    """
    own = [] if topology.existing else ["nodes"]
    known = ", ".join(dict.fromkeys([*own, *topology.groups, *(node.name for node in topology.nodes)]))
    text = "no play's `hosts` match a machine"
    return ConvergeError(
        text if log is None else f"it ran no task: {text}",
        where=playbook,
        hint=f"groups and machines are {known}",
        log=log,
    )


def require_hosts(settings: Settings, topology: Topology) -> None:
    """Raise ConvergeError if no play of the project's playbook has a host; hosts of an inventory are not judged."""
    is_judged = settings.has_playbook and not settings.is_existing
    if is_judged and is_for_nobody(settings.root / settings.playbook, topology):
        raise idle(topology, settings.playbook)
