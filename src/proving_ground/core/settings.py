"""Hold the settings of one run, made once from options, environment and project; immutable. Pure."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from proving_ground.core.project import Project
from proving_ground.core.timeouts import Timeouts

EXISTING = "existing"
"""The provider whose machines are the hosts of the user's own inventory; it creates and removes none."""

PROVIDERS = ("container", "docker", EXISTING, "libvirt", "podman", "virtualbox")
ENGINES = {"container": "docker", "podman": "podman"}
"""Providers whose machines are reached by exec → the client that does it."""

SWARMS = "container"
"""The provider whose machines may be on several engines."""

KEEP = ("never", "failed", "always")
STATE = ".proving-ground"
"""The directory in a project's root directory for files that later processes need."""

CONVERGE = "converge.yml"
"""The playbook of a project that has no other, as Molecule names it."""


def usual_provider(project: Project, installed: Callable[[str], object] = shutil.which) -> str:
    """The provider of a project that is asked for none: that of its inventory, or of an image that it names.

    Args:
        project: the project's settings.
        installed: returns something true for the name of a program that this host has.
    """
    if project.inventory:
        return EXISTING
    has_image = project.image or project.images or any((entry or {}).get("image") for _, entry in project.machines)
    if not has_image:
        return "docker"
    return "container" if installed("docker") or not installed("podman") else "podman"


def client(program: str, engine: str = "") -> tuple[str, ...]:
    """Return the client and the arguments that lead it to an engine.

    Args:
        program: the client's name.
        engine: a Docker host (``ssh://two.example.test``), or the name of a context; empty for the client's usual one.
    """
    return (program, "--host" if "://" in engine else "--context", engine) if engine else (program,)


def named(checkout: str, *parts: str) -> str:
    """Return the name of an object that checkout ``checkout`` makes on a host: ``proving-ground-3f2a0b1c-web-01``."""
    return "-".join(("proving-ground", checkout, *parts))


@dataclass(frozen=True)
class Settings:
    """One run's settings.

    Attributes:
        root: the project's root directory.
        topology: name of a file in the project's directory of topologies.
        profile: name of the project's profile whose keys ``project`` has; empty for none.
        overrides: values that replace those of the plan, as words of a shell: ``web.count=3``; empty for none.
        provider: what makes the machines, one of :data:`PROVIDERS`.
        keep: when machines outlive the run, one of :data:`KEEP`.
        reuse: use only machines that are already up.
        network_prefix: first three octets for the machines' network, or None for the topology's own.
        run_id: names this run's artifacts; sorts by time.
        checkpoints: save the machines after each phase, and begin at the newest checkpoint that still applies.
        timeout_factor: multiplies every time-out on this host, 1 or more.
        inventory: the user's own inventory, a file, a script or a directory; None unless the provider is ``existing``.
        limit: the pattern of hosts to which everything on an existing inventory is limited; empty for all.
        images: of a matrix of images the groups of those whose machines the run needs; None for all, or what is up.
        converge: whether a run may converge; on an existing inventory only if the user asked for it.
        project: the project's settings in ``pyproject.toml``.
    """

    root: Path
    run_id: str
    topology: str = "default"
    profile: str = ""
    overrides: str = ""
    provider: str = "docker"
    keep: str = "failed"
    reuse: bool = False
    network_prefix: str | None = None
    checkpoints: bool = False
    timeout_factor: float = 1.0
    inventory: Path | None = None
    limit: str = ""
    images: tuple[str, ...] | None = None
    converge: bool = True
    project: Project = field(default_factory=Project)

    @property
    def is_existing(self) -> bool:
        """Whether the machines are the hosts of the user's own inventory."""
        return self.provider == EXISTING

    @property
    def as_they_are(self) -> bool:
        """Whether the run tests the machines as they are, without a converge."""
        return self.reuse or not self.converge

    @property
    def inventory_file(self) -> Path:
        """The inventory that Ansible gets: the user's own, or the one that the run writes."""
        own = self.inventory if self.is_existing else None  # machines of an earlier run have the other provider
        return own or self.state_directory / "inventory.yml"

    @property
    def engine(self) -> str:
        """The client by whose exec machines are reached; empty if ssh reaches them."""
        return ENGINES.get(self.provider, "")

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines of a swarm that share the run; empty if one engine has all machines."""
        return self.project.engines if self.provider == SWARMS else ()

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs of this host; machines may be even slower (``Record.timeout_factor``)."""
        return Timeouts(self.timeout_factor)

    @property
    def topologies(self) -> Path:
        """The directory of topology files."""
        return self.root / self.project.topologies

    @property
    def depot(self) -> Path:
        """The directory of the depot's recipe."""
        return self.root / self.project.depot

    @property
    def faults(self) -> Path:
        """The directory of faults."""
        return self.root / self.project.faults

    @property
    def playbook(self) -> str:
        """The playbook, relative to ``root``: the project's, or for a project that is a role one that applies it."""
        if not (self.root / self.project.playbook).is_file():
            if (self.root / CONVERGE).is_file():
                return CONVERGE
            if self.is_role:
                return f"{self.state_directory.name}/{CONVERGE}"
        return self.project.playbook

    @property
    def prepare(self) -> str:
        """The playbook that prepares new machines, relative to ``root``; empty if there is none, or nothing is new."""
        return "" if self.is_existing else self._beside(self.project.prepare)

    @property
    def verify(self) -> str:
        """The playbook that verifies converged machines, relative to ``root``; empty if there is none."""
        return self._beside(self.project.verify)

    @property
    def cleanup(self) -> str:
        """The playbook to run before machines are removed, relative to ``root``; empty without one or a removal."""
        return "" if self.is_existing else self._beside(self.project.cleanup)

    def _beside(self, name: str) -> str:
        """Return the path of a step's playbook: beside the project's, or else in ``root``; empty if there is none."""
        places = dict.fromkeys((Path(self.playbook).parent, Path()))
        return next((str(place / name) for place in places if (self.root / place / name).is_file()), "")

    @property
    def is_role(self) -> bool:
        """Whether the project itself is an Ansible role."""
        return (self.root / "tasks" / "main.yml").is_file()

    @property
    def has_playbook(self) -> bool:
        """Whether the playbook exists; without one the run brings machines up and converges nothing."""
        return (self.root / self.playbook).is_file()

    @property
    def phases(self) -> tuple[tuple[str, str], ...]:
        """The playbook's phases in order: a name, and the name of the last play in it."""
        return self.project.phases

    @property
    def state_directory(self) -> Path:
        """The directory of files that later processes need: ledger, key pair, certificates, kubeconfig."""
        return self.root / STATE

    @property
    def playbook_environment(self) -> dict[str, str]:
        """The project's environment variables for playbooks, with the paths that their texts name."""
        places = {"{root}": str(self.root), "{state}": str(self.state_directory)}
        found = dict(self.project.playbook_environment)
        for word, path in places.items():
            found = {name: text.replace(word, path) for name, text in found.items()}
        return found

    @property
    def artifacts(self) -> Path:
        """The directory of this run's logs and results."""
        return self.root / "artifacts" / self.run_id

    @property
    def checkout_id(self) -> str:
        """Eight hex digits in the names of this checkout's machines and networks, unique on this host."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:8]
