"""Make the settings of a run from options, environment and ``pyproject.toml``; reject invalid values."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

from proving_ground.core.errors import UsageError
from proving_ground.core.overrides import normalized
from proving_ground.core.problems import nearest
from proving_ground.core.project import read_project
from proving_ground.core.settings import EXISTING, KEEP, PROVIDERS, Settings, usual_provider
from proving_ground.core.topology import Topology
from proving_ground.plugin.existing_configuration import on_inventory

LARGEST_FACTOR = 100.0
"""The largest factor that the option accepts."""

UNKNOWN = Topology("", (), {"machines": IPv4Network("192.0.2.0/24")}, {})
"""The topology if its file cannot be read: no machines, in the network reserved for documentation."""

Values = dict[str, str | bool | None]
""":attr:`options.Option.key` → the option's value; None if it was not given."""


def settings_from(values: Values, root: Path, run_id: str | None = None) -> Settings:
    """Make the settings of a run.

    Args:
        values: the options' values.
        root: the project's root directory.
        run_id: id of the run that this process belongs to, or None for a new run.

    Raises:
        UsageError: a value is invalid.
    """
    profile = str(values.get("profile") or "")
    project = read_project(root, profile)
    provider = _one_of("provider", values, PROVIDERS, EXISTING if values.get("inventory") else usual_provider(project))
    keep = _one_of("keep", values, KEEP, "never" if os.environ.get("CI") else "failed")
    prefix = values.get("network_prefix")
    settings = Settings(
        root=root,
        run_id=run_id or datetime.now(UTC).strftime("%Y%m%dT%H%M%S-") + f"{os.getpid():05d}",
        topology=str(values.get("topology") or "default"),
        profile=profile,
        overrides=normalized(str(values.get("set") or "")),
        provider=provider,
        keep=keep,
        reuse=bool(values.get("reuse")),
        network_prefix=None if prefix is None else str(prefix),
        checkpoints=bool(values.get("checkpoints")),
        timeout_factor=_factor(str(values.get("timeout_factor") or "1")),
        project=project,
    )
    return on_inventory(settings, values)


def _one_of(name: str, values: Values, choices: tuple[str, ...], default: str) -> str:
    value = str(values.get(name) or default)
    if value not in choices:
        raise UsageError(f"unknown value {value!r}", where=f"--pg-{name}", hint=nearest(value, choices))
    return value


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 <= factor <= LARGEST_FACTOR:
        hint = f"choose a number from 1 to {LARGEST_FACTOR:g}"
        raise UsageError(f"{text!r} is no factor for time-outs", where="--pg-timeout-factor", hint=hint)
    return factor
