"""Run planned steps one after the other and update the ledger after each; no other module runs steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import singledispatchmethod
from pathlib import Path

from proving_ground.ansible.events import Outcome
from proving_ground.ansible.phases import Phase
from proving_ground.ansible.runner import Converge, attempt_playbook, run_playbook
from proving_ground.core.errors import ConvergeError, HarnessError, UsageError
from proving_ground.core.problems import nearest
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.lifecycle import machines, preflight
from proving_ground.lifecycle.idle import idle
from proving_ground.lifecycle.state import State
from proving_ground.lifecycle.steps import (
    AwaitRestored,
    CheckReachable,
    ConvergeAll,
    ConvergePhase,
    Create,
    MarkConverged,
    Prepare,
    Remove,
    Restore,
    Save,
    Step,
)
from proving_ground.machines.ledger import Ledger

READY = "ready"
"""Tag of the tasks that wait until services are ready and change nothing; restored machines need only these."""


class Executor:
    """Runs steps.

    Args:
        state: of the machines.
        progress: receives a line for each slow step.
    """

    def __init__(self, state: State, progress: Progress) -> None:
        self.state = state
        self.progress = progress
        self._started = ""
        self._outcomes: list[Outcome] = []

    def run(self, steps: Iterable[Step]) -> Converge | None:
        """Run ``steps``; raises the errors of the steps.

        Returns:
            the outcomes of all tasks that ran; None if no step converges.
        """
        converges, self._outcomes = False, []
        for step in steps:
            converges |= isinstance(step, ConvergeAll | ConvergePhase | MarkConverged)
            self._take(step)
        log = self.state.settings.artifacts / "ansible.log"
        return Converge(tuple(self._outcomes), log) if converges else None

    def play(self, *arguments: str, plays: tuple[int, int] | None = None) -> Converge:
        """Run the playbook, or some of its plays (see ``runner.run_playbook``); raises ConvergeError."""
        state = self.state
        return run_playbook(
            state.settings, state.write_inventory(), self.progress, *arguments, plays=plays, timeouts=state.timeouts
        )

    def play_other(self, playbook: str, *arguments: str) -> Converge:
        """Run a playbook that is not the project's own; errors as of ``Lifecycle.play``."""
        settings = self.state.settings
        if not (settings.root / playbook).is_file():
            known = sorted(path.name for pattern in ("*.yml", "*.yaml") for path in settings.root.glob(pattern))
            raise UsageError(f"there is no playbook {playbook}", hint=nearest(playbook, known) if known else "")
        # It changes the machines: they are no longer what the project's own playbook, or a checkpoint, made of them.
        self.state.ledger.update(created_key="", converged_key="", reached="", reached_key="")
        return self._run_other(playbook, playbook, *arguments)

    def verify(self, playbook: str) -> Converge:
        """Run a playbook that only looks; the result has the error if a task failed."""
        done: Converge | None = None
        try:
            with self.progress.step("verify"):  # as failed, if it is
                settings, inventory = self._other(playbook)
                done = attempt_playbook(settings, inventory, self.progress, timeouts=self.state.timeouts)
                if done.error is not None:
                    raise done.error
        except ConvergeError:
            if done is None:
                raise
        if done.error or done.outcomes:
            return done
        return replace(done, error=idle(self.state.topology, playbook, done.log))

    def clean_up(self) -> None:
        """Run the playbook that comes before the removal, once, if there is one and machines are up."""
        playbook, record = self.state.settings.cleanup, self.state.record
        if playbook and record is not None and record.phase != "creating" and not record.cleaned:
            self.state.ledger.update(cleaned=True)  # before it runs: a second interruption has to end it
            self._run_other("cleanup", playbook)

    def check(self, *arguments: str) -> Converge:
        """Run the project's playbook in check mode, which changes nothing; raises ConvergeError."""
        with self.progress.step("check mode"):
            return self.play("--check", *arguments)

    def _run_other(self, step: str, playbook: str, *arguments: str) -> Converge:
        """Run another playbook as a step; raises ConvergeError."""
        settings, inventory = self._other(playbook)
        with self.progress.step(step):
            return run_playbook(settings, inventory, self.progress, *arguments, timeouts=self.state.timeouts)

    def _other(self, playbook: str) -> tuple[Settings, Path]:
        """The settings and the inventory for another playbook."""
        settings = self.state.settings
        return replace(settings, project=replace(settings.project, playbook=playbook)), self.state.write_inventory()

    @singledispatchmethod
    def _take(self, step: Step) -> None:
        raise TypeError(f"{step!r} is no step")

    @_take.register
    def _remove(self, step: Remove) -> None:
        self.progress.say(f"removing the machines: {step.why}")
        self.destroy()

    def destroy(self) -> bool:
        """Remove everything that this checkout has created; returns whether there was anything."""
        settings = self.state.settings
        record = Ledger(settings.state_directory).legible()  # also where this run is on an existing inventory
        if record is not None:  # use the topology and provider of the existing machines, not of this run's options
            topology, provider, images = record.topology, record.provider, record.image_groups
            settings = replace(settings, topology=topology, provider=provider, images=images)
            try:
                Executor(State(settings, self.progress), self.progress).clean_up()
            except HarnessError as error:
                self.progress.say(f"cleanup has failed, the removal goes on: {error}")
        return machines.destroy(settings, self.progress)

    @_take.register
    def _check_reachable(self, _: CheckReachable) -> None:
        preflight.check_reachable(self.state.settings, self.state.topology, self.progress, self.state.timeouts)

    @_take.register
    def _create(self, step: Create) -> None:
        self._make(None)
        self.state.ledger.update(created_key=step.key)

    @_take.register
    def _prepare(self, step: Prepare) -> None:
        self.state.ledger.update(created_key="", reached="", reached_key="")
        self._run_other("prepare", step.playbook)
        self.state.ledger.update(prepared=True)

    def _make(self, checkpoint: str | None) -> None:
        state = self.state
        machines.create(
            state.settings, state.topology, state.network_prefix, state.view, self.progress, checkpoint=checkpoint
        )

    @_take.register
    def _restore(self, step: Restore) -> None:
        state = self.state
        checkpoint = state.checkpoints.get(step.key)
        assert checkpoint is not None, "the planner found it, and this process holds the lock"
        self.progress.say(f"from checkpoint {step.phase.name} of {checkpoint.saved[:16]}")
        started = _now()
        if step.in_place:
            machines.restore_in_place(state.settings, state.topology, state.view, self.progress, step.key)
        else:
            self._make(step.key)
        state.checkpoints.restore_files(checkpoint)
        self._at(step.phase, step.key, restored_at=started)
        self.state.ledger.update(prepared=True)

    @_take.register
    def _save(self, step: Save) -> None:
        self._started = _now()
        self.state.checkpoints.save(step.key, step.phase.name, self.state.topology, self.state.view)
        self._at(step.phase, step.key)

    @_take.register
    def _await_restored(self, step: AwaitRestored) -> None:
        record = self.state.record
        assert record is not None, "a plan with this step has machines"
        if step.end.plays > step.begin:
            since = record.restored_at or self._started
            with self.progress.step(f"checkpoint {step.end.name} is ready"):
                self.play(f"--tags={READY}", f"--extra-vars=restored_at={since}", plays=(step.begin, step.end.plays))
        left = "" if step.complete else record.restored_at
        self.state.ledger.update(restored_at=left, awaited=0 if step.complete else step.end.plays)

    @_take.register
    def _converge_phase(self, step: ConvergePhase) -> None:
        if step.phase == self.state.up_to(self.state.needed_roles)[-1] != self.state.phases[-1]:
            self.progress.say(f"the chosen tests need phase {step.phase.name}, and nothing after it")
        # While a phase runs, the machines are at no phase.
        self.state.ledger.update(created_key="", reached="", reached_key="")
        try:
            with self.progress.step(f"converge {step.phase.name}"):
                result = self.play(plays=(step.before.plays, step.phase.plays))
        except ConvergeError as error:
            error.hint = f"fix it and run the same again: it begins at checkpoint {step.before.name}"
            raise
        self._outcomes += result.outcomes

    @_take.register
    def _converge_all(self, step: ConvergeAll) -> None:
        self.state.ledger.update(created_key="")
        with self.progress.step(step.name):
            result = self.play(*step.arguments)
        if not result.outcomes:
            raise idle(self.state.topology, self.state.settings.playbook, result.log)
        self._outcomes += result.outcomes
        self._mark_converged(MarkConverged(step.key))

    @_take.register
    def _mark_converged(self, step: MarkConverged) -> None:
        self.state.ledger.update(phase="converged", converged_key=step.key, view=self._view)

    @property
    def _view(self) -> str:
        """The path of the depot's view; empty where machines have none."""
        view = self.state.view
        return str(view.path) if view.key else ""

    def _at(self, phase: Phase, content: str, restored_at: str = "") -> None:
        """Note that machines are at ``phase``, to which ``content`` led; and since when, if they were restored."""
        changes = {
            "reached": phase.name,
            "reached_key": content,
            "restored_at": restored_at,
            "awaited": 0,
            "view": self._view,
        }
        self.state.ledger.update(**changes)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
