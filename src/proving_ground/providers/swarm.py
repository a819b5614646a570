"""Containers on several engines of a Docker Swarm, joined by an attachable overlay network."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path

from proving_ground.core.errors import HarnessError, MachineError, PreflightError, UsageError
from proving_ground.core.placement import Member, place
from proving_ground.core.plan import plan_of
from proving_ground.core.polling import NotReady, WaitTimeoutError, wait_until
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.process.commands import last_words
from proving_ground.providers import container_options, docker_snapshots, image_copies, swarm_nodes
from proving_ground.providers.container import Container
from proving_ground.providers.container_image import Image
from proving_ground.providers.docker_engine import DockerEngine
from proving_ground.providers.engine import LABEL, Engine

SEEN: dict[tuple[str, tuple[str, ...]], tuple[Member, ...]] = {}
"""Run and engines → the engines as nodes, of the runs of this process."""


class SwarmEngine(DockerEngine):
    """An engine of a swarm: the networks that are its own are those that no other engine has."""

    network_filters = ("--filter", "scope=local")


class Swarm(Container):
    """The containers of provider container, on several engines.

    Args:
        settings: the run's settings.
        record: of the machines that exist; None if there are none.
    """

    def __init__(self, settings: Settings, record: Record | None) -> None:
        super().__init__(settings)
        addresses = settings.engines if record is None else record.engines
        self._engines = {address: SwarmEngine(address) for address in addresses}
        self.engine = next(iter(self._engines.values()))

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All engines, the manager of their swarm first."""
        return tuple(self._engines.values())

    def ensure_running(self, progress: Progress) -> None:
        """Check that all engines answer, and are engines of one swarm."""
        with ThreadPoolExecutor(len(self._engines)) as pool:
            for _ in pool.map(lambda each: each.ensure_running(progress, self.settings.timeouts), self.engines):
                pass
        SEEN.pop(self._seen, None)
        self._members()

    def prepare_removal(self, progress: Progress) -> None:
        """Do nothing: the removal names the engines that do not answer, after it has removed all from the others."""

    def networks(self) -> list[tuple[str, IPv4Network]]:
        """The networks of the swarm: the routes of this host lead to no machine."""
        return swarm_nodes.networks(self.engine)

    def place(self, topology: Topology) -> Mapping[str, str]:
        """Choose the engine of each machine."""
        return place(topology.nodes, self._members())

    @property
    def content(self) -> str:
        """The images, and where the machines would be: an engine has the checkpoints of its own machines."""
        placement = self.place(plan_of(self.settings))
        return "\n".join([super().content, *(f"{name} on {engine}" for name, engine in placement.items())])

    def engine_of(self, machine: str) -> Engine:
        """The engine of a machine as the ledger has it, since labels may change; the first if it has none."""
        return self._engines[self._placement.get(machine, self.engine.address)]

    @cached_property
    def _placement(self) -> Mapping[str, str]:
        record = Ledger(self.settings.state_directory).read()
        known = {} if record is None else record.placement
        return known or self.place(plan_of(self.settings))

    @property
    def _seen(self) -> tuple[str, tuple[str, ...]]:
        return self.settings.run_id, tuple(self._engines)

    def _members(self) -> tuple[Member, ...]:
        """The engines as nodes, looked at once in a run."""
        if self._seen not in SEEN:
            SEEN[self._seen] = swarm_nodes.members(self.engines)
        return SEEN[self._seen]

    def _check_options(self, topology: Topology) -> None:
        super()._check_options(topology)
        users: dict[str, dict[str, str]] = {}
        for node in topology.nodes:
            for volume in container_options.named_volumes(node):
                users.setdefault(volume, {})[self.engine_of(node.name).address] = node.name
        for volume, machines in users.items():
            if len(machines) > 1:
                text = f"{' and '.join(machines.values())} are on different engines: they cannot share it"
                raise UsageError(text, where=f"volume {volume}", hint="let `placement` bring them together")

    def _images(self, topology: Topology, progress: Progress, log: Path) -> dict[str, Image]:
        """Find or build each image on the first engine, and give it to the others whose machines are made of it."""
        found = super()._images(topology, progress, log)
        for name, image in found.items():
            users = (self.engine_of(node.name) for node in topology.nodes if self._image_of(node) == name)
            targets = [each for each in dict.fromkeys(users) if each is not self.engine]
            found[name] = image_copies.spread(image, self.engine, targets, progress, log)
        return found

    def _ensure_network(self, topology: Topology, log: Path) -> None:
        driver = ("--driver", "overlay", "--attachable")
        self.engine.ensure_network(self.network, str(topology.networks["machines"]), self.labels, log, driver)

    def has_leftovers(self) -> bool:
        """Return whether anything on an engine that answers has the checkout's label."""
        if any(any(each.leftovers(self.checkout)) for each in self.engines):
            return True
        return self.engine.refusal() is None and bool(self._shared_networks())

    def remove_leftovers(self, log: Path | None = None) -> int:
        """Remove all from every engine that answers, then the network that they share.

        Raises:
            PreflightError: engines do not answer; names them. All is gone from the others.
            MachineError: something could not be removed from an engine that answers.
        """

        def remove(engine: Engine) -> int | HarnessError:
            try:
                if (refusal := engine.refusal()) is not None:
                    return PreflightError(last_words(refusal))
                return engine.remove_leftovers(self.checkout, log)
            except HarnessError as error:
                return error

        with ThreadPoolExecutor(len(self._engines)) as pool:
            results = dict(zip(self._engines, pool.map(remove, self.engines), strict=True))
        failed = {address: each for address, each in results.items() if isinstance(each, HarnessError)}
        if failed:
            text = "; ".join(f"{address}: {error.what}" for address, error in failed.items())
            cleaned = ", ".join(address for address in results if address not in failed) or "no engine"
            kind = type(next(iter(failed.values())))
            hint = f"{cleaned} has nothing left; run `proving-ground destroy` again when all answer"
            raise kind(f"not removed from {text}", where="engines", hint=hint, log=log)
        return sum(each for each in results.values() if isinstance(each, int)) + self._remove_networks(log)

    def _remove_networks(self, log: Path | None) -> int:
        """Remove what the swarm has of this checkout; return how many there were."""
        before = self._shared_networks()

        def remove() -> None:
            names = self._shared_networks()
            for name in names:
                try:
                    self.engine.run("network", "rm", name, log=log)
                except MachineError as error:
                    # The swarm has not seen yet that a container is gone, or an engine that the network is.
                    if not any(words in error.what for words in ("in use", "not found")):
                        raise
                    raise NotReady(error.what) from error
            if names:
                raise NotReady(f"{', '.join(names)} is still there")

        if before:
            try:
                wait_until("the machines' network has been removed", remove, timeout=60, interval=0.2)
            except WaitTimeoutError as error:
                raise MachineError(str(error), where=self.engine.address, log=log) from error
        return len(before)

    def _shared_networks(self) -> list[str]:
        """Return the names of what the swarm has of this checkout, as its manager says."""
        mine = ("--filter", f"label={LABEL}={self.checkout}", "--filter", "scope=swarm")
        return self.engine.run("network", "ls", *mine, "--format", "{{.Name}}").split()

    def forget(self, key: str, log: Path) -> None:
        """Remove a checkpoint from all engines."""
        for engine in self.engines:
            docker_snapshots.forget(engine, self.checkout, key, log)
