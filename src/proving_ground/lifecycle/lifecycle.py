"""The phases of a run in their order: depot, machines, inventory, converge, destroy; each only where it is needed."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from proving_ground import depot
from proving_ground.ansible.inventory import inventory
from proving_ground.ansible.phases import Phase, key, phases, up_to
from proving_ground.ansible.runner import Converge, check_syntax, run_playbook
from proving_ground.checkpoints.store import Checkpoints
from proving_ground.core.errors import UsageError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import be_patient
from proving_ground.core.topology import Topology, load
from proving_ground.depot import View
from proving_ground.host import networks
from proving_ground.lifecycle import checkpointed, machines, preflight, readiness
from proving_ground.machines.ledger import Ledger, Record


class Lifecycle:
    """Brings a topology from nothing to converged machines and back.

    Args:
        settings: the run's settings.
        progress: told of every phase.

    Attributes:
        needed_roles: names of the roles that are wanted of a converge in phases, or None for all.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self.progress = progress
        self.ledger = Ledger(settings.state_directory)
        self.checkpoints = Checkpoints(settings, progress)
        self.needed_roles: Collection[str] | None = None
        self._network_prefix = settings.network_prefix
        be_patient(settings.timeout_factor)

    @property
    def created_here(self) -> bool:
        """Whether this run has made the machines that there are, in whichever of its processes."""
        record = self.ledger.read()
        return record is not None and record.run_id == self.settings.run_id

    @cached_property
    def plan(self) -> Topology:
        """The topology that was asked for; raises UsageError when it cannot be."""
        return load(self.settings.topologies, self.settings.topology, self.settings.network_prefix)

    @property
    def topology(self) -> Topology:
        """The plan in the network that machines are in, or are about to be made in; raises UsageError."""
        record = self.ledger.read()
        if record is not None and record.topology == self.settings.topology:
            self._network_prefix = record.network_prefix
        return self.plan.within(self._network_prefix)

    @cached_property
    def view(self) -> View:
        """What nodes are given, built first when it is not in the cache; with ``--reuse``, what they were given."""
        record = self.ledger.read()
        if self.settings.reuse and record is not None and record.view:
            return depot.read(Path(record.view))
        with self.progress.step("depot"):
            return depot.ensure(self.settings.depot, report=self.progress.say)

    @property
    def inventory_path(self) -> Path:
        """Where the inventory is written."""
        return self.settings.state_directory / "inventory.yml"

    def write_inventory(self) -> Path:
        """Write the inventory of the topology and return its path."""
        view, record = self.view, self.ledger.read()
        text = inventory(
            self.topology,
            user=self.settings.project.user,
            python=self.settings.project.python,
            controller_python=sys.executable,
            controller={"controller_depot_path": str(view.path)},
            common={
                "depot_path": f"{self.settings.project.depot_path}/{view.key}",
                "depot_images": view.images,
                "state_directory": str(self.settings.state_directory),
                # Of the machines, not of this run: it is in what roles write, and a longer wait is no change of that.
                "patience": self.settings.timeout_factor if record is None else record.timeout_factor,
                "network_interface": self.settings.project.interface,
            },
        )
        self.inventory_path.parent.mkdir(parents=True, exist_ok=True)
        self.inventory_path.write_text(text, encoding="utf-8")
        return self.inventory_path

    def syntax(self) -> None:
        """Have Ansible parse the playbook; raises ConvergeError when it is wrong."""
        with self.progress.step("syntax"):
            check_syntax(self.settings, self.write_inventory())

    def create(self) -> Record:
        """Have machines: those of this checkout that are up, or new ones; from here on waiting goes by their speed.

        Raises:
            UsageError: ``--reuse`` with nothing up, or machines of another topology or provider are up.
            MachineError: they did not come up.
        """
        record = self._create()
        be_patient(record.timeout_factor, self.settings.timeout_factor)
        return record

    def _create(self) -> Record:
        """As :meth:`create`, whatever their speed."""
        record = machines.require_up(self.settings) if self.settings.reuse else self.ledger.read()
        if record is not None and record.phase == "creating":
            self.progress.say("an earlier run ended while it was creating machines: removing what it left")
            machines.destroy(self.settings, self.progress)
            record = None
        if record is None:
            return self._begin()
        asked = self.settings
        same = (asked.topology, asked.provider) == (record.topology, record.provider)
        if not same or asked.network_prefix not in {None, record.network_prefix}:
            text = f"machines of topology {record.topology!r} on provider {record.provider!r} are up"
            raise UsageError(text, where="this checkout", hint="run `proving-ground destroy`, or ask for those")
        preflight.check_reachable(self.settings, self.topology, self.progress)
        return record

    def _begin(self) -> Record:
        """Make machines where there are none, in a network that is free."""
        plan = self.plan  # refused before the host is looked at
        preflight.check(self.settings, self.progress)
        asked = self.settings.network_prefix
        with networks.reserved(plan, asked=asked, say=self.progress.say) as prefix:
            self._network_prefix = prefix
            return checkpointed.begin(self) if self.settings.checkpoints else self.make()

    def make(self, checkpoint: str | None = None) -> Record:
        """Make machines: new ones, or as they were at a checkpoint, whose key is given; raises MachineError."""
        return machines.create(
            self.settings, self.topology, self._network_prefix, self.view, self.progress, checkpoint=checkpoint
        )

    def put_back(self, checkpoint: str) -> Record:
        """Bring machines that are up back to what they were at a checkpoint saved in them; raises MachineError."""
        return machines.put_back(self.settings, self.topology, self.view, self.progress, checkpoint)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """What a converge passes; raises UsageError when the playbook does not have what the project names."""
        return phases(self.settings.root / self.settings.playbook, self.settings.phases)

    @property
    def wanted(self) -> tuple[Phase, ...]:
        """The phases that a converge passes to what is needed; errors as of :attr:`phases`."""
        return self.up_to(self.needed_roles)

    def up_to(self, roles: Collection[str] | None) -> tuple[Phase, ...]:
        """The phases after which ``roles`` have been applied, None for all roles; errors as of :attr:`phases`."""
        return up_to(self.settings.root / self.settings.playbook, self.phases, roles)

    def key(self, phase: Phase) -> str:
        """Content of roles, topology and depot that leads to ``phase``."""
        return key(
            self.settings.root,
            self.settings.project,
            phase,
            repr(self.topology),
            self.view.key,
            f"{self.settings.timeout_factor:g}",
        )

    def play(self, *arguments: str, plays: tuple[int, int] | None = None) -> Converge:
        """Run the playbook, or some of its plays (see ``converge.run_playbook``); raises ConvergeError."""
        return run_playbook(self.settings, self.write_inventory(), self.progress, *arguments, plays=plays)

    def converge(self, *arguments: str) -> Converge:
        """Run the playbook, whatever the machines' state; raises ConvergeError."""
        self.ready()
        converged = self.key(self.phases[-1])
        with self.progress.step("converge"):
            result = self.play(*arguments)
        self.converged(converged)
        return result

    def converged(self, content: str) -> None:
        """Note that machines are converged with ``content``, a key of the last phase."""
        self.ledger.update(phase="converged", converged_key=content, view=str(self.view.path))

    def ensure_converged(self) -> Converge | None:
        """Run the playbook unless machines are converged with this content, or ``--reuse`` takes them as they are.

        Returns:
            The result, or None when nothing had to be done.
        """
        if self.settings.checkpoints and not self.settings.reuse:
            return checkpointed.converge(self)
        record = self.create()
        if self.is_converged(record):
            return None
        return self.converge()

    def is_ready(self, roles: Collection[str] | None = None) -> bool:
        """Whether nothing of what ``roles`` have started is still to be awaited on machines that came back."""
        return readiness.is_ready(self, roles)

    def ready(self, roles: Collection[str] | None = None) -> None:
        """Where machines came back as they had been saved, wait for what ``roles`` have started; None for all.

        Raises:
            ConvergeError: a wait's task failed.
        """
        readiness.ready(self, roles)

    def is_converged(self, record: Record) -> bool:
        """Whether nothing has to be done: converged with this content, or taken as they are with ``--reuse``."""
        if record.phase != "converged":
            later = self.phases[len(self.wanted) - 1 :]
            return self.settings.reuse and record.reached in {phase.name for phase in later}
        return self.settings.reuse or record.converged_key == self.key(self.phases[-1])

    def destroy(self) -> bool:
        """Remove all that this checkout created; says whether there was anything."""
        record = self.ledger.read()
        if record is not None:  # what is there decides, not what was asked for now
            settings = replace(self.settings, topology=record.topology, provider=record.provider)
            return machines.destroy(settings, self.progress)
        return machines.destroy(self.settings, self.progress)
