"""Find the plan of a project's machines: in a topology file, in ``pyproject.toml``, or one machine by default."""

from __future__ import annotations

from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology, load, names, parse

ONE = {"machine": None}
"""The machines of a project that names none: one."""


def plan_of(settings: Settings) -> Topology:
    """The plan that a run was asked for, in the network that it was asked for.

    Raises:
        UsageError: there is no such plan, or it asks for something impossible.
    """
    project, name, prefix = settings.project, settings.topology, settings.network_prefix
    if project.machines and name == "default":
        return parse(name, {"machines": dict(project.machines)}, prefix, where="pyproject.toml [tool.proving-ground]")
    if project.image and name == "default" and name not in names(settings.topologies):
        return parse(name, {"machines": ONE}, prefix)
    return load(settings.topologies, name, prefix)
