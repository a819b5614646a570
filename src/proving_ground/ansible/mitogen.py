"""Say where mitogen's strategies have no effect: on machines that an engine's exec reaches."""

from __future__ import annotations

import os

from proving_ground.ansible.search_paths import default, effective
from proving_ground.core.settings import Settings


def notice(settings: Settings) -> str:
    """Return a line that says that mitogen is left out; empty if it is not asked for, or not left out.

    Mitogen takes over connections that it knows, such as ssh and docker; tasks over any other run as without it.
    """
    strategy = _strategy(settings)
    if not settings.engine or "mitogen" not in strategy:
        return ""
    return f"strategy {strategy} is left out: machines are reached by {settings.engine} exec, and tasks run as usual"


def _strategy(settings: Settings) -> str:
    """Return the name of the strategy that the environment or Ansible's configuration chooses; empty for the usual."""
    if said := (os.environ | settings.playbook_environment).get("ANSIBLE_STRATEGY"):
        return said
    return default(effective(settings.root / settings.project.ansible_config), "strategy")
