"""Provider docker: containers that behave like machines, in their own network, with a volume each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.providers import docker_engine, docker_snapshots
from proving_ground.providers.on_engine import OnEngine
from proving_ground.providers.vagrant import VagrantProvider

AUTHORIZED_KEYS_ON_NODE = "/mnt/authorized_keys.d"
"""The directory whose keys a node's entrypoint copies: they belong to the host's user, so sshd would reject them."""


class Docker(OnEngine, VagrantProvider):
    """Containers that behave as machines."""

    def prepare(self, topology: Topology, view: View, key: Path, progress: Progress, log: Path) -> dict[str, Any]:
        """Import the image and create the network."""
        network = named(self.checkout)
        with progress.step("node image"):
            image = docker_engine.ensure_image(view.node_rootfs, view.node_key, log)
        self.engine.ensure_network(network, str(topology.networks["machines"]), self.labels, log)
        arguments = [*docker_engine.CREATE_ARGUMENTS, *self.label_arguments]
        folders = {
            self.settings.project.depot_path: str(view.path.parent),
            AUTHORIZED_KEYS_ON_NODE: str(key.parent / "authorized"),
        }
        # /var on a volume, since overlayfs does not work on overlayfs; with name and label, to find and remove it.
        volumes = {
            node.name: ",".join(
                [
                    f"type=volume,source={named(self.checkout, node.name)},destination=/var",
                    *(f"volume-label={label}" for label in self.labels),
                ]
            )
            for node in topology.nodes
        }
        return {
            "node_image": image,
            "network": network,
            "create_arguments": arguments,
            "mounts": volumes,
            "folders": folders,
        }

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Save the containers' layers and volumes while the containers are paused."""
        image = docker_engine.ensure_image(view.node_rootfs, view.node_key, log)
        return docker_snapshots.save(
            self.saved(key, topology), self.checkout, self.settings.project.written_once, image, log
        )

    def restore(
        self,
        key: str,
        topology: Topology,
        view: View,
        progress: Progress,  # noqa: ARG002
        log: Path,
    ) -> dict[str, Any]:
        """Copy the saved volumes to new ones; return the saved images."""
        image = docker_engine.ensure_image(view.node_rootfs, view.node_key, log)
        saved = self.saved(key, topology)
        docker_snapshots.restore(saved, self.labels, self.settings.project.written_once, image, log)
        return {"images": {node.name: each.image for node, each in zip(topology.nodes, saved, strict=True)}}
