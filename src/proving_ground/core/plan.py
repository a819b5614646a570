"""Find the plan of a project's machines: in a topology file, in ``pyproject.toml``, or one machine by default."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import shown
from proving_ground.core.project import FILE, lines_of
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology, load, names, parse

ONE = {"machine": None}
"""The machines of a project that names none: one."""

NAME = re.compile(r"[A-Za-z0-9.-]+")
"""A name that Vagrant gives a machine as its host's."""


def plan_of(settings: Settings) -> Topology:
    """The plan that a run was asked for, in the network that it was asked for.

    Raises:
        UsageError: there is no such plan, or it asks for something impossible.
    """
    project, name, prefix = settings.project, settings.topology, settings.network_prefix
    common = {key: dict(getattr(project, key)) for key in ("networks", "variables", "group_variables")}
    has_image = bool(project.image or project.images)
    if name == "default" and (project.machines or (has_image and name not in names(settings.topologies))):
        plan = {"machines": dict(project.machines) or ONE, **common}
        where, lines = shown(settings.root / FILE), lines_of(settings.root, settings.profile)
        found = parse(name, plan, prefix, where=where, lines=lines, images=project.images, overrides=settings.overrides)
    else:
        found = load(settings.topologies, name, prefix, common, project.images, settings.overrides)
    return checked(settings, of_groups(found, settings.images))


def of_groups(plan: Topology, names: Collection[str] | None) -> Topology:
    """Return the plan with only the machines that are in any of these groups; None for all machines."""
    if names is None:
        return plan
    return replace(plan, nodes=tuple(node for node in plan.nodes if set(names) & set(node.groups)))


def checked(settings: Settings, plan: Topology) -> Topology:
    """Return the plan; raises UsageError if its machines have names or keys that the run's provider cannot use."""
    if settings.project.engines and not settings.engines:
        text = f"provider {settings.provider} does not use several engines: they are those of a Docker Swarm"
        hint = "run with --pg-provider container, or drop `engines`"
        raise UsageError(text, where="engines in [tool.proving-ground]", hint=hint)
    for node in plan.nodes if not settings.engine else ():
        if not NAME.fullmatch(node.name):
            text = f"provider {settings.provider} cannot call a machine {node.name}"
            raise UsageError(text, where=f"topology {plan.name}", hint="write letters, digits, hyphens and dots")
        if ignored := [*(["image"] if node.image else []), *node.options.given]:
            text = f"provider {settings.provider} does not use {', '.join(ignored)} of {node.name}"
            hint = "run with --pg-provider container, or set `image` in [tool.proving-ground]"
            raise UsageError(text, where=f"topology {plan.name}", hint=hint)
    return plan
