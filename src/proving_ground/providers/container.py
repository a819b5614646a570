"""Provider container: creates containers of any image, and reaches them, with the engine alone."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError, UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.progress import Progress
from proving_ground.core.settings import named
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Node, Topology
from proving_ground.depot import View
from proving_ground.providers import container_options, container_start, docker_snapshots
from proving_ground.providers.container_image import DOCKERFILE, Image, built_name, identifier, image_of
from proving_ground.providers.container_start import Group, Machine
from proving_ground.providers.engine import LABEL, Engine
from proving_ground.providers.on_engine import OnEngine

COMMIT_SECONDS = 300.0

LOOKED_AT: dict[tuple[str, str, str, str], Image] = {}
"""Project, run, engine and name → the image, of the runs of this process."""


class Container(OnEngine):
    """Containers of the image that the project names."""

    needs_view = False

    def fetch(self, progress: Progress, log: Path) -> None:
        """Pull or build the images unless they are on this host."""
        plan = plan_of(self.settings)
        self._check_options(plan)
        self._images(plan, progress, log)

    @property
    def content(self) -> str:
        """The images' names and identifiers, read anew each time, since a run may pull an image."""
        names = dict.fromkeys(self._image_of(node) for node in plan_of(self.settings).nodes)
        return "\n".join(f"{name} {self._identifier(name)}" for name in names)

    def _identifier(self, name: str) -> str:
        if (file := self.settings.root / name).is_file():
            if DOCKERFILE.fullmatch(file.name):
                return identifier(self.engine, built_name(file))
            known = file.stat()  # to hash an archive would take a second
            return f"{known.st_size} {known.st_mtime_ns}"
        return identifier(self.engine, name)

    def create(self, topology: Topology, view: View, progress: Progress, log: Path, checkpoint: str | None) -> float:  # noqa: ARG002
        """Start the containers, in a network of their own; those of different images at the same time."""
        images = self._images(topology, progress, log)
        self._ensure_network(topology, log)
        nodes = self._by_engine(topology)
        project, timeouts = self.settings.project, self.settings.timeouts

        def start(engine: Engine) -> None:
            for volume in container_options.volumes(nodes[engine], self.checkout):
                engine.run("volume", "create", *(f"--label={label}" for label in self.labels), volume, log=log)
            groups = list(self._groups(nodes[engine], images, checkpoint))
            container_start.start(groups, engine, init=project.init, timeouts=timeouts, log=log)

        first, *others = nodes
        with progress.step("containers"), ThreadPoolExecutor(max(1, len(others))) as pool:
            more = [pool.submit(start, engine) for engine in others]
            start(first)  # in this thread, which an interruption ends
            for each in more:
                each.result()
        return self.settings.timeout_factor

    def _groups(self, nodes: Sequence[Node], images: dict[str, Image], checkpoint: str | None) -> Iterator[Group]:
        """Yield the machines of each image, those with all rights apart from the others."""
        for privileged, (name, image) in itertools.product((False, True), images.items()):
            machines = tuple(
                self._machine(node, image, checkpoint)
                for node in nodes
                if (self._image_of(node), self._is_privileged(node)) == (name, privileged)
            )
            if machines:
                yield Group(machines, image, privileged)

    def engine_of(self, machine: str) -> Engine:  # noqa: ARG002
        """The engine that runs a machine."""
        return self.engine

    def _by_engine(self, topology: Topology) -> dict[Engine, list[Node]]:
        """Return the machines of each engine that has some."""
        found: dict[Engine, list[Node]] = {}
        for node in topology.nodes:
            found.setdefault(self.engine_of(node.name), []).append(node)
        return found

    @property
    def network(self) -> str:
        """The name of the machines' network."""
        return named(self.checkout)

    def _ensure_network(self, topology: Topology, log: Path) -> None:
        self.engine.ensure_network(self.network, str(topology.networks["machines"]), self.labels, log)

    def _check_options(self, topology: Topology) -> None:
        """Raise UsageError if a machine cannot have what its options ask for."""
        container_options.check(topology, self.settings.root)

    def _is_privileged(self, node: Node) -> bool:
        own = node.options.privileged
        return self.settings.project.privileged if own is None else own

    def connection(self, node: Node) -> dict[str, Any]:
        """Return variables that select the package's connection plugin."""
        return {
            "ansible_connection": "proving_ground_container",
            "proving_ground_engine": shlex.join(self.engine_of(node.name).client),
            "ansible_host": named(self.checkout, node.name),
            "ansible_pipelining": True,
        }

    def check_reachable(self, topology: Topology, timeouts: Timeouts, timeout: float) -> None:  # noqa: ARG002
        """Check that every container runs."""
        label = f"label={LABEL}={self.checkout}"
        said = (engine.run("ps", "--filter", label, "--format", "{{.Names}}") for engine in self._by_engine(topology))
        running = {name for names in said for name in names.split()}
        silent = [node.name for node in topology.nodes if named(self.checkout, node.name) not in running]
        if silent:
            text = f"{', '.join(silent)}: the container does not run"
            raise MachineError(text, where="unreachable", hint="run `proving-ground destroy` and start again")

    def save(self, key: str, topology: Topology, view: View, progress: Progress, log: Path) -> int:  # noqa: ARG002
        """Commit each container as an image; the engine pauses it meanwhile."""
        saved = self.saved(key, topology)
        engines = [self.engine_of(node.name) for node in topology.nodes]
        with ThreadPoolExecutor(max(1, len(saved))) as pool:
            commits = [
                pool.submit(engine.run, "commit", each.machine, each.image, log=log, timeout=COMMIT_SECONDS)
                for each, engine in zip(saved, engines, strict=True)
            ]
            for commit in commits:
                commit.result()
        images = self._images(topology, progress, log)
        of_nodes = {node.name: each.image for node, each in zip(topology.nodes, saved, strict=True)}
        size = 0
        for engine, nodes in self._by_engine(topology).items():
            names = [*(images[self._image_of(node)].name for node in nodes), *(of_nodes[node.name] for node in nodes)]
            said = engine.run("image", "inspect", "--format", "{{.Size}}", *names, log=log).split()
            sizes = [int(each) for each in said]
            size += sum(sizes[len(nodes) :]) - sum(sizes[: len(nodes)])
        return size

    def _images(self, topology: Topology, progress: Progress, log: Path) -> dict[str, Image]:
        """Return the images of these machines by the names that the project has for them."""
        names = dict.fromkeys(self._image_of(node) for node in topology.nodes)
        return {name: self._image(name, progress, log) for name in names}

    def _image(self, name: str, progress: Progress, log: Path) -> Image:
        """Look at an image once in a run: each look asks the engine three times."""
        run = (str(self.settings.root), self.settings.run_id, shlex.join(self.engine.client), name)
        if run not in LOOKED_AT:
            LOOKED_AT[run] = image_of(name, self.settings, self.engine, progress, log)
        return LOOKED_AT[run]

    def _image_of(self, node: Node) -> str:
        name = node.image or self.settings.project.image
        if not name:
            hint = 'add `image = "debian:12"` to [tool.proving-ground], or to the machine'
            raise UsageError(f"{node.name} has no image", where=f"provider {self.settings.provider}", hint=hint)
        return name

    def _machine(self, node: Node, image: Image, checkpoint: str | None) -> Machine:
        container = named(self.checkout, node.name)
        arguments = ("--network", self.network, "--ip", str(node.address), "--network-alias", node.name)
        limits = ("--memory", f"{node.memory}m")
        own = container_options.arguments(node, self.settings.root, self.checkout)
        source = (
            image.name if checkpoint is None else docker_snapshots.saved(self.checkout, checkpoint, node.name).image
        )
        return Machine(node.name, container, source, (*arguments, *limits, *own, *self.label_arguments))
