"""Find the provider of a run by its name."""

from __future__ import annotations

from dataclasses import replace

from proving_ground.core.settings import SWARMS, Settings
from proving_ground.machines.ledger import Ledger
from proving_ground.providers.base import Provider
from proving_ground.providers.container import Container
from proving_ground.providers.docker import Docker
from proving_ground.providers.existing import Existing
from proving_ground.providers.libvirt import Libvirt
from proving_ground.providers.podman import Podman
from proving_ground.providers.swarm import Swarm
from proving_ground.providers.vagrant import VagrantProvider

__all__ = ["PROVIDERS", "Provider", "every", "of"]

PROVIDERS: dict[str, type[Provider]] = {
    "container": Container,
    "docker": Docker,
    "existing": Existing,
    "libvirt": Libvirt,
    "podman": Podman,
    "virtualbox": VagrantProvider,
}


def of(settings: Settings) -> Provider:
    """Return the provider of the settings, for the engines of the machines that exist, or else of the settings."""
    if settings.provider == SWARMS:
        record = Ledger(settings.state_directory).legible()
        ours = record if record is not None and record.provider == SWARMS else None
        if settings.engines if ours is None else ours.engines:
            return Swarm(settings, ours)
    return PROVIDERS[settings.provider](settings)


def every(settings: Settings) -> list[Provider]:
    """Return all providers, for code that does not know which one was used."""
    return [of(replace(settings, provider=name)) for name in PROVIDERS]
