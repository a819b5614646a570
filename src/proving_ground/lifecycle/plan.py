"""Find the machines of a run: those that it plans, or the hosts of an existing inventory."""

from __future__ import annotations

from proving_ground.ansible import existing_inventory
from proving_ground.core import plan
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology


def plan_of(settings: Settings) -> Topology:
    """Return the machines of a run, planned or existing.

    Raises:
        UsageError: there is no such plan, it asks for something impossible, or the inventory cannot be read.
    """
    return existing_inventory.read(settings) if settings.is_existing else plan.plan_of(settings)
