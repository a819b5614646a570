"""Provider container: creates containers of any image, and reaches them, with Docker alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError, UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.providers import container_start, docker_engine, docker_snapshots
from proving_ground.providers.container_image import Image, identifier, image_of
from proving_ground.providers.container_start import Machine
from proving_ground.providers.docker_engine import docker
from proving_ground.providers.on_docker import OnDocker

COMMIT_SECONDS = 300.0


class Container(OnDocker):
    """Containers of the image that the project names."""

    needs_view = False

    def fetch(self, progress: Progress, log: Path) -> None:
        """Pull or build the image unless it is on this host."""
        self._image(progress, log)

    @property
    def content(self) -> str:
        """The image's name and identifier, read anew each time, since a run may pull the image."""
        name = self.settings.project.image
        return f"{name} {identifier(name)}"

    def create(self, topology: Topology, view: View, progress: Progress, log: Path, checkpoint: str | None) -> float:  # noqa: ARG002
        """Start the containers, in a network of their own."""
        project = self.settings.project
        image = self._image(progress, log)
        network = named(self.checkout)
        docker_engine.ensure_network(network, str(topology.networks["machines"]), self.labels, log)
        machines = [self._machine(node, image, network, checkpoint) for node in topology.nodes]
        with progress.step("containers"):
            container_start.start(
                machines,
                image,
                init=project.init,
                privileged=project.privileged,
                timeouts=self.settings.timeouts,
                log=log,
            )
        return self.settings.timeout_factor

    def connection(self, node: Node) -> dict[str, Any]:
        """Return variables that select the package's connection plugin."""
        return {
            "ansible_connection": "proving_ground_container",
            "ansible_host": named(self.checkout, node.name),
            "ansible_pipelining": True,
        }

    def check_reachable(self, topology: Topology, timeouts: Timeouts, timeout: float) -> None:  # noqa: ARG002
        """Check that every container runs."""
        label = f"label={docker_engine.LABEL}={self.checkout}"
        running = set(docker("ps", "--filter", label, "--format", "{{.Names}}").split())
        silent = [node.name for node in topology.nodes if named(self.checkout, node.name) not in running]
        if silent:
            text = f"{', '.join(silent)}: the container does not run"
            raise MachineError(text, where="unreachable", hint="run `proving-ground destroy` and start again")

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Commit each container as an image; Docker pauses it meanwhile."""
        saved = self.saved(key, topology)
        with ThreadPoolExecutor(max(1, len(saved))) as pool:
            commits = [
                pool.submit(docker, "commit", each.machine, each.image, log=log, timeout=COMMIT_SECONDS)
                for each in saved
            ]
            for commit in commits:
                commit.result()
        sizes = docker("image", "inspect", "--format", "{{.Size}}", *(each.image for each in saved), log=log)
        base = int(docker("image", "inspect", "--format", "{{.Size}}", self._image(progress, log).name, log=log))
        return sum(int(size) - base for size in sizes.split())

    def _image(self, progress: Progress, log: Path) -> Image:
        if not self.settings.project.image:
            hint = 'add `image = "debian:12"` to [tool.proving-ground]'
            raise UsageError("the project names no image", where="provider container", hint=hint)
        return image_of(self.settings, progress, log)

    def _machine(self, node: Node, image: Image, network: str, checkpoint: str | None) -> Machine:
        container = named(self.checkout, node.name)
        arguments = ("--network", network, "--ip", str(node.address), "--network-alias", node.name)
        limits = ("--memory", f"{node.memory}m")
        source = (
            image.name if checkpoint is None else docker_snapshots.saved(self.checkout, checkpoint, node.name).image
        )
        return Machine(node.name, container, source, (*arguments, *limits, *self.label_arguments))
