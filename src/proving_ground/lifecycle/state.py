"""Read the existing and the wanted state: ledger, topology, depot, phases and keys. It changes no machine."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from proving_ground import depot
from proving_ground.ansible import requirements
from proving_ground.ansible.inventory import inventory
from proving_ground.ansible.phases import Phase, key, phases, up_to
from proving_ground.ansible.role_playbook import ensure_playbook
from proving_ground.ansible.variable_links import ensure_variable_links
from proving_ground.checkpoints.store import Checkpoints
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.lifecycle.plan import plan_of
from proving_ground.lifecycle.planner import Facts
from proving_ground.machines.ledger import Record, ledger_of
from proving_ground.providers import registry
from proving_ground.providers.base import Provider


class State:
    """The machines of one project, existing and wanted.

    Args:
        settings: the run's settings.
        progress: receives lines about filling the depot.

    Attributes:
        ledger: record of the machines that this checkout has created.
        checkpoints: the checkpoints of this checkout.
        needed_roles: names of the roles that a converge in phases has to reach; None for all.
        network_prefix: prefix of the network that machines are in, or will be created in.
        had_machines: whether this process has created machines in that network, which its tests know.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        ensure_playbook(settings)
        self.settings = settings
        self.progress = progress
        self.ledger = ledger_of(settings)
        self.checkpoints = Checkpoints(settings, progress)
        self.needed_roles: Collection[str] | None = None
        self.network_prefix = settings.network_prefix
        self.had_machines = False

    @property
    def record(self) -> Record | None:
        """The record of the existing machines, or None."""
        return self.ledger.read()

    @property
    def provider(self) -> Provider:
        """The provider of the machines; another one when they are others, since these may be on other engines."""
        return registry.of(self.settings)

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs with the larger factor of the existing machines and the settings."""
        record = self.record
        return Timeouts(max(self.settings.timeout_factor, 1.0 if record is None else record.timeout_factor))

    @cached_property
    def plan(self) -> Topology:
        """The topology of the settings; raises UsageError if it is invalid."""
        return plan_of(self.settings)

    @property
    def topology(self) -> Topology:
        """The topology in the network that machines are in, or will be created in; raises UsageError."""
        record = self.record
        if record is not None and record.is_of(self.settings):
            self.network_prefix = record.network_prefix
        return self.plan.within(self.network_prefix)

    @cached_property
    def view(self) -> View:
        """The depot's view for machines, built if it is not cached; with ``--pg-reuse``, the view that they mount.

        It is empty if the machines are containers of an image and the project has no depot.
        """
        if not self.provider.needs_view and not self.settings.depot.is_dir():
            return View(Path(), "")
        record = self.record
        if self.settings.reuse and record is not None and record.view:
            return depot.read(Path(record.view))
        with self.progress.step("depot"):
            return depot.ensure(self.settings.depot, report=self.progress.say, release=self.settings.project.release)

    @property
    def playbook(self) -> Path:
        """The playbook's file."""
        return self.settings.root / self.settings.playbook

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a converge, none without a playbook; raises UsageError if a phase's play does not exist."""
        return phases(self.playbook, self.settings.phases) if self.settings.has_playbook else ()

    def up_to(self, roles: Collection[str] | None) -> tuple[Phase, ...]:
        """Return the phases up to the last one that ``roles`` need, None for all roles; raises as :attr:`phases`."""
        return up_to(self.playbook, self.phases, roles)

    def key(self, phase: Phase) -> str:
        """Return a hash of the content of roles, topology and depot that ``phase`` depends on."""
        factor = f"{self.settings.timeout_factor:g}"
        project = replace(self.settings.project, playbook=self.settings.playbook)
        made_of = self.provider.content
        prepare = self.settings.prepare
        prepared = replace(project, playbook=prepare)
        before = [key(self.settings.root, prepared, Phase("prepare", sys.maxsize))] if prepare else []
        more = [*before, repr(self.topology), self.view.key, factor, made_of, requirements.key(self.settings)]
        return key(self.settings.root, project, phase, *more)

    def facts(self) -> Facts:
        """Return the planner's input; it computes a phase's key on first use."""
        known = self.phases
        return Facts(
            settings=self.settings,
            record=self.record,
            phases=known,
            wanted=self.up_to(self.needed_roles) if known else (),
            keys=_Keys(self, known),
            saved=frozenset(each.key for each in self.checkpoints if each.complete),
            prepare=self.settings.prepare,
            in_place=self.provider.in_place,
        )

    def write_inventory(self) -> Path:
        """Write the inventory of the topology and return its path; the user's own inventory stays as it is."""
        if self.settings.is_existing:
            return self.settings.inventory_file
        view, record, project = self.view, self.record, self.settings.project
        depot_variables = {
            "depot_path": f"{project.depot_path}/{view.key}",
            "depot_images": view.images,
            "controller_depot_path": str(view.path),
        }
        provider = self.provider
        text = inventory(
            self.topology,
            user=project.user,
            python=project.python,
            connections={node.name: provider.connection(node) for node in self.topology.nodes},
            common={
                **(depot_variables if view.key else {}),
                "state_directory": str(self.settings.state_directory),
                # The machines' factor, not this run's: roles write it to files, which a longer wait must not change.
                "timeout_factor": self.settings.timeout_factor if record is None else record.timeout_factor,
                "network_interface": project.interface,
            },
        )
        path = self.settings.inventory_file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        ensure_variable_links(self.settings)
        return path


class _Keys(Mapping[str, str]):
    """Name of a phase → its key; computes each key once, on first use."""

    def __init__(self, state: State, known: tuple[Phase, ...]) -> None:
        self._state = state
        self._phases = {phase.name: phase for phase in known}
        self._found: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._found:
            self._found[name] = self._state.key(self._phases[name])
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._phases)

    def __len__(self) -> int:
        return len(self._phases)
