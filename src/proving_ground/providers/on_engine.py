"""The base of providers whose machines are containers: engine, labels, leftovers, names in checkpoints."""

from __future__ import annotations

from pathlib import Path

from proving_ground.core.progress import Progress
from proving_ground.core.topology import Topology
from proving_ground.providers import docker_snapshots
from proving_ground.providers.base import Provider
from proving_ground.providers.docker_engine import DOCKER
from proving_ground.providers.engine import LABEL, Engine


class OnEngine(Provider):
    """A provider whose machines are containers.

    Attributes:
        engine: the engine that runs them.
    """

    in_place = False
    engine: Engine = DOCKER

    def ensure_running(self, progress: Progress) -> None:
        """Find or start the engine."""
        self.engine.ensure_running(progress, self.settings.timeouts)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of containers, networks and volumes: the checkout, and the run that created them."""
        return f"{LABEL}={self.checkout}", f"proving-ground.run={self.settings.run_id}"

    @property
    def label_arguments(self) -> tuple[str, ...]:
        """The labels as arguments of the client."""
        return tuple(word for label in self.labels for word in ("--label", label))

    def saved(self, key: str, topology: Topology) -> list[docker_snapshots.Saved]:
        """Return the names of all machines in checkpoint ``key``, in the order of the topology."""
        return [docker_snapshots.saved(self.checkout, key, node.name) for node in topology.nodes]

    def forget(self, key: str, log: Path) -> None:
        """Remove the images and volumes of a checkpoint."""
        docker_snapshots.forget(self.engine, self.checkout, key, log)

    def remove_leftovers(self, log: Path | None = None) -> int:
        """Remove containers, networks and volumes with the checkout's label."""
        return self.engine.remove_leftovers(self.checkout, log)

    def has_leftovers(self) -> bool:
        """Return whether anything has the checkout's label."""
        return any(self.engine.leftovers(self.checkout))

    def clean(self) -> list[str]:
        """Stop the engine if the harness started it."""
        return [f"stopped {self.engine.title} that the harness had started"] if self.engine.stop_ours() else []
