"""Translate a scenario whose hosts exist (``managed: false``): its inventory becomes a file of Ansible's. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from proving_ground.cli.migrate.scenario import Scenario, merged
from proving_ground.cli.migrate.translation import Translation


def is_unmanaged(scenario: Scenario) -> bool:
    """Whether Molecule neither creates nor removes the scenario's hosts."""
    return bool(scenario.get("driver", "options")) and scenario.get("driver", "options").get("managed") is False


def existing(translation: Translation) -> dict[str, str]:
    """Write the inventory of the scenario's hosts; return platform's name → host's name, which are the same."""
    scenario = translation.scenario
    path = f"{scenario.directory}/hosts.yml"
    if (scenario.root / path).exists():
        reason = f"{path} is there already, and is used as it is"
        translation.lose(("platforms",), reason, "compare it with the platforms")
    else:
        content = inventory_of(scenario)
        translation.files[path] = translation.portable(yaml.safe_dump(content, sort_keys=False))
    translation.settings |= {"inventory": path, "converge": True}
    return {str(each["name"]): str(each["name"]) for each in scenario.content.get("platforms") or []}


def inventory_of(scenario: Scenario) -> dict[str, Any]:
    """Return the inventory that Molecule makes for the scenario: platforms, their groups, hosts, and all variables."""
    said = scenario.get("provisioner", "inventory")
    options = scenario.get("driver", "options").get("ansible_connection_options") or {}
    options = merged(options, scenario.get("provisioner").get("connection_options") or {})
    everything: dict[str, Any] = {"hosts": {}, "children": {}}
    for platform in scenario.content.get("platforms") or []:
        name = str(platform["name"])
        everything["hosts"][name] = merged(dict(options), (said.get("host_vars") or {}).get(name) or {})
        for group in [*(platform.get("groups") or []), *(platform.get("children") or [])]:
            everything["children"].setdefault(group, {"hosts": {}})["hosts"][name] = {}
    for group, variables in (said.get("group_vars") or {}).items():
        place = everything if group == "all" else everything["children"].setdefault(group, {"hosts": {}})
        place["vars"] = variables or {}
    found = merged({"all": everything}, said.get("hosts") or {})
    found["all"] = {key: value for key, value in found["all"].items() if value}
    return found
