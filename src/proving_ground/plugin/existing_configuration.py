"""The settings of a run on an existing inventory; reject options that make no sense there, or only there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from proving_ground.core.errors import UsageError
from proving_ground.core.problems import nearest, shown
from proving_ground.core.settings import EXISTING, Settings
from proving_ground.plugin.options import flag

Values = Mapping[str, str | bool | None]

OF_INVENTORIES = ("inventory", "limit", "converge")
"""Options that only an existing inventory knows."""

OF_MACHINES = {
    "topology": "the machines are the hosts of the inventory",
    "checkpoints": "hosts of an inventory are neither saved nor restored",
    "set": "the machines are the hosts of the inventory",
    "network_prefix": "hosts of an inventory are where they are",
}
"""Options that only machines know that the run creates → the reason."""


def on_inventory(settings: Settings, values: Values) -> Settings:
    """Complete the settings with the inventory, or check that nothing asks for one.

    Args:
        settings: of the run.
        values: the options' values.

    Raises:
        UsageError: there is no inventory, or an option does not go together with the provider.
    """
    if not settings.is_existing:
        for key in OF_INVENTORIES:
            if values.get(key):
                text = f"is for hosts of an inventory, and the provider is {settings.provider}"
                raise UsageError(text, where=flag(key), hint="drop one of the two options")
        return settings
    for key, reason in OF_MACHINES.items():
        if values.get(key):
            raise UsageError(reason, where=flag(key), hint="drop this option")
    converge = bool(values.get("converge")) or settings.project.converge
    limit = str(values.get("limit") or "")
    return replace(settings, inventory=_inventory(settings, values.get("inventory")), limit=limit, converge=converge)


def _inventory(settings: Settings, asked: str | bool | None) -> Path:
    """Return the inventory's path: the option's is relative to the current directory or else to the project."""
    named = str(asked or settings.project.inventory)
    if not named:
        hint = "name it: --pg-inventory, or `inventory` in pyproject.toml"
        raise UsageError(f"provider {EXISTING} needs an inventory", where="--pg-provider", hint=hint)
    path = Path(named).expanduser()
    bases = [Path.cwd(), settings.root] if asked else [settings.root]
    found = next((base / path for base in bases if (base / path).exists()), None)
    if found is None:
        where = flag("inventory") if asked else f"{shown(settings.root / 'pyproject.toml')}: inventory"
        raise UsageError(f"there is no inventory {named}", where=where, hint=_others(settings.root, path))
    return found.resolve() if found.is_dir() else found.parent.resolve() / found.name


def _others(root: Path, path: Path) -> str:
    """A hint that names the file in the directory of the missing one whose name is nearest."""
    directory = (root / path).parent
    known = sorted(each.name for each in directory.iterdir() if each.name[0] != ".") if directory.is_dir() else []
    return nearest(path.name, known) if known else "write it, or name another"


__all__ = ["OF_INVENTORIES", "OF_MACHINES", "on_inventory"]
