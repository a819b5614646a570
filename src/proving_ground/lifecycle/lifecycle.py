"""Bring machines from nothing to converged and back: plan a list of steps, then run them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from proving_ground.ansible.phases import Phase
from proving_ground.ansible.requirements import ensure_installed
from proving_ground.ansible.runner import Converge, check_syntax
from proving_ground.checkpoints.store import Checkpoints
from proving_ground.core.errors import UsageError
from proving_ground.core.problems import shown
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.host import networks
from proving_ground.lifecycle import machines, planner, preflight
from proving_ground.lifecycle.executor import Executor
from proving_ground.lifecycle.idle import require_hosts
from proving_ground.lifecycle.planner import Facts
from proving_ground.lifecycle.state import State
from proving_ground.lifecycle.steps import Remove, Step
from proving_ground.machines.ledger import Ledger, Record

NOT_REPEATED = "molecule-idempotence-notest"
"""Tag of the tasks that may change something at every run, as Molecule has it."""

Plans = Callable[[Facts], list[Step]]


class Lifecycle:
    """Brings a topology from nothing to converged machines and back.

    Args:
        settings: the run's settings.
        progress: receives a line for each step.
    """

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self.progress = progress
        self.state = State(settings, progress)
        self._executor = Executor(self.state, progress)

    @property
    def needed_roles(self) -> Collection[str] | None:
        """Names of the roles that a converge in phases has to reach; None for all."""
        return self.state.needed_roles

    @needed_roles.setter
    def needed_roles(self, roles: Collection[str] | None) -> None:
        self.state.needed_roles = roles

    @property
    def ledger(self) -> Ledger:
        """The record of the machines that this checkout has created."""
        return self.state.ledger

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of this checkout."""
        return self.state.checkpoints

    @property
    def topology(self) -> Topology:
        """The topology in the network that the machines are in; raises UsageError."""
        return self.state.topology

    @property
    def view(self) -> View:
        """The view of the depot that machines mount."""
        return self.state.view

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a converge."""
        return self.state.phases

    def write_inventory(self) -> Path:
        """Write the inventory and return its path."""
        return self.state.write_inventory()

    @property
    def created_here(self) -> bool:
        """Whether this run, in any of its processes, has created the current machines."""
        record = self.state.record
        return record is not None and record.run_id == self.settings.run_id

    def plan(self) -> list[Step]:
        """Return the steps that :meth:`ensure_converged` would run, without running them.

        It fills the depot if needed, since a checkpoint's key depends on the depot's view.
        """
        return planner.plan_converge(self.state.facts())

    def syntax(self) -> None:
        """Let Ansible parse the playbook.

        Raises:
            RequirementsError: a role or a collection that it requires cannot be installed.
            ConvergeError: it is wrong, or no play of it has a host.
        """
        require_hosts(self.settings, self.state.plan)
        ensure_installed(self.settings, self.progress)
        with self.progress.step("syntax"):
            check_syntax(self.settings, self.write_inventory(), self.state.timeouts)

    def create(self) -> Record:
        """Use the machines of this checkout that are up, or create new ones.

        Raises:
            RequirementsError: a role or a collection of the project's requirements cannot be installed.
            UsageError: ``--pg-reuse`` without machines that are up, or machines of another topology or provider are up.
            ConvergeError: no play of the project's playbook has a host.
            MachineError: the machines did not come up.
        """
        self._carry_out(planner.plan_machines)
        record = self.state.record
        assert record is not None, "machines that have just come up are in the ledger"
        return record

    def prepare(self) -> None:
        """Run the playbook that prepares new machines, unless there is none or it has run; raises ConvergeError."""
        self._carry_out(planner.plan_prepare)

    def ensure_converged(self) -> Converge | None:
        """Run the playbook unless the machines are converged with this content, or ``--pg-reuse`` is set.

        Without a playbook it creates the machines and writes the inventory, so that tests can run Ansible.

        Returns:
            The result, or None if nothing had to run.
        """
        result = self._carry_out(planner.plan_converge)
        if not self.settings.has_playbook:
            self.write_inventory()
        return result

    def converge(self, *arguments: str) -> Converge:
        """Run the playbook, also on machines that are converged.

        Raises:
            UsageError: the project has no playbook.
            ConvergeError: the playbook is wrong, or a task failed.
        """
        return self._whole("converge", *arguments)

    def _whole(self, name: str, *arguments: str) -> Converge:
        """Run the whole playbook as the step ``name``; raises as :meth:`converge`."""
        if not self.settings.has_playbook:
            hint = "write it, or name another: `playbook` in pyproject.toml"
            raise UsageError(f"the project has no playbook {self.settings.playbook}", hint=hint)
        self._require_consent(self.settings.playbook)
        result = self._executor.run(planner.plan_whole(self.state.facts(), name, *arguments))
        assert result is not None, "a converge has outcomes"
        return result

    def repeat(self) -> Converge:
        """Run the playbook once more with diffs, without tasks tagged ``molecule-idempotence-notest``.

        Raises:
            UsageError: the project has no playbook.
            ConvergeError: a task failed.
        """
        return self._whole("idempotence", "--diff", f"--skip-tags={NOT_REPEATED}")

    def check(self) -> Converge:
        """Run the playbook in check mode with diffs, without the tasks that :meth:`repeat` leaves out."""
        return self._executor.check("--diff", f"--skip-tags={NOT_REPEATED}")

    def play(self, playbook: str, *arguments: str) -> Converge:
        """Run another playbook of the project on machines that are up; the next run converges them again.

        Args:
            playbook: its path, relative to the project's root directory.
            arguments: further arguments for ``ansible-playbook``, such as ``--tags=upgrade``.

        Raises:
            UsageError: there is no such playbook.
            ConvergeError: the playbook is wrong, or a task failed.
        """
        self._require_consent(playbook)
        return self._executor.play_other(playbook, *arguments)

    def verify(self) -> Converge:
        """Run the playbook that verifies converged machines; the result has the error if a task failed."""
        return self._executor.verify(self.settings.verify)

    def _require_consent(self, playbook: str) -> None:
        """Raise UsageError if ``playbook`` would change hosts of an inventory, which the user did not ask for."""
        if not self.settings.converge:
            text = f"{playbook} would change the hosts of inventory {shown(self.settings.inventory_file)}"
            raise UsageError(text, hint="ask for it: --pg-converge, or `converge = true` in pyproject.toml")

    def is_ready(self, roles: Collection[str] | None = None) -> bool:
        """Return whether no wait for the services of ``roles`` is left on restored machines."""
        return not self._wait_for(roles)

    def ready(self, roles: Collection[str] | None = None) -> None:
        """On restored machines, wait until the services of ``roles`` are ready; None for all roles.

        Raises:
            ConvergeError: a task that waits failed.
        """
        self._executor.run(self._wait_for(roles))

    def clean_up(self) -> None:
        """Run the playbook that comes before the removal of the machines, unless it has run; raises ConvergeError."""
        self._executor.clean_up()

    def destroy(self) -> bool:
        """Remove all that this checkout has created, after :meth:`clean_up`; returns whether there was anything."""
        return self._executor.destroy()

    def _wait_for(self, roles: Collection[str] | None) -> Collection[Step]:
        record = self.state.record
        if record is None or not record.restored_at:
            return ()
        needed = None if roles is None else self.state.up_to(roles)[-1]
        return planner.await_restored(self.state.facts(), needed)

    def _carry_out(self, plan: Plans) -> Converge | None:
        """Plan with the current facts and run the steps; for new machines, choose their network before planning."""
        ensure_installed(self.settings, self.progress)
        facts = self.state.facts()
        if not facts.is_new:
            steps = plan(facts)
            if not steps or not isinstance(steps[0], Remove):
                return self._executor.run(steps)
            self._executor.run(steps[:1])
        elif facts.record is not None:
            self._executor.run([Remove("an earlier run ended while it was creating them")])
        with self._network():
            return self._executor.run(plan(self.state.facts()))

    @contextmanager
    def _network(self) -> Iterator[None]:
        """Look at the host, and keep a network that is free until machines are in it."""
        wanted = self.state.plan  # refused before the host is looked at
        require_hosts(self.settings, wanted)
        preflight.check(self.settings, self.progress, machines.log_of(self.settings))
        asked, earlier, again = self.settings.network_prefix, self.state.network_prefix, self.state.had_machines
        say, present = self.progress.say, self.state.provider.networks
        with networks.reserved(wanted, asked=asked, earlier=earlier, again=again, say=say, present=present) as prefix:
            self.state.network_prefix = prefix
            yield
            self.state.had_machines = True
