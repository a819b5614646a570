"""The run as one object: its settings, what happened so far, and the lock on the machines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import pytest

from proving_ground.core.errors import ConvergeError, HarnessError
from proving_ground.core.plan import of_groups
from proving_ground.core.polling import Waited
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.core.timeouts import Timeouts
from proving_ground.core.topology import Topology
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.machines.ledger import Record, ledger_of
from proving_ground.machines.lock import locked
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.options import only_looks
from proving_ground.process.reaper import RUN as MARK_OF_RUN
from proving_ground.process.reaper import mark_of_run

if TYPE_CHECKING:
    from proving_ground.plugin.health_scan import Scan
    from proving_ground.plugin.xdist.output_relay import Relay
    from proving_ground.plugin.xdist.shared_state import Shared

Value = TypeVar("Value")


@dataclass
class Run:
    """One run of pytest in one of its processes: alone, as xdist's controller, or as one of its workers.

    Attributes:
        config: pytest's.
        settings: the run's settings.
        plan: the topology of the settings; once the machines are known, in their network.
        timeline: records events with their times.
        without_machines: why this run makes no machines; empty if it may make some.
        shared: state that the processes of this run share; None if there is one process.
        relay: on the controller, the thread that writes the workers' output.
        lifecycle: the phases; None until a test needs machines.
        needed_roles: the roles that the chosen tests need; None for all.
        infrastructure_error: the error, outside of tests, that ended the run.
        failed_converge: the task that failed, if the machines are converged only in part.
        began: when the run began, in seconds since 1970.
        started_by: the id of the run that has started this one, such as one that puts faults in; empty if none has.
        item: the running test.
        evidence: folders with evidence of failures.
        scan: the result of the scan after a green run.
        closing_lines: lines to print after everything else.
        waits: successful waits of the running test.
        hints_shown: the hints that the last debugger prompt has shown.
    """

    config: pytest.Config
    settings: Settings
    plan: Topology
    timeline: Timeline
    without_machines: str = ""
    shared: Shared | None = None
    relay: Relay | None = None
    lifecycle: Lifecycle | None = None
    needed_roles: frozenset[str] | None = None
    infrastructure_error: HarnessError | None = None
    failed_converge: ConvergeError | None = None
    began: float = field(default_factory=time.time)
    started_by: str = field(default_factory=lambda: os.environ.get(MARK_OF_RUN, "").rpartition("/")[2])
    item: pytest.Item | None = None
    evidence: list[Path] = field(default_factory=list)
    scan: Scan | None = None
    closing_lines: list[str] = field(default_factory=list)
    waits: list[Waited] = field(default_factory=list)
    hints_shown: list[str] = field(default_factory=list)
    _hold: ExitStack = field(default_factory=ExitStack)

    @property
    def is_worker(self) -> bool:
        """Whether this process is one of xdist's workers."""
        return hasattr(self.config, "workerinput")

    @property
    def only_looks(self) -> bool:
        """Whether this process shows something and runs no test."""
        return only_looks(self.config)

    @property
    def topology(self) -> Topology:
        """The topology of the machines that are up, in their network."""
        if (record := self.record) is not None and record.is_of(self.settings):
            # Stays so after the machines are removed; the controller of workers collects no tests to know the images.
            self.plan = of_groups(self.plan.within(record.network_prefix), record.image_groups)
        return self.plan

    @property
    def record(self) -> Record | None:
        """The ledger's record of the existing machines; None if there are none."""
        return ledger_of(self.settings).read()

    @property
    def timeouts(self) -> Timeouts:
        """The time-outs with the larger factor of machines and settings; they add each wait to :attr:`waits`."""
        record = self.record
        machines = 1.0 if record is None else record.timeout_factor
        return Timeouts(max(self.settings.timeout_factor, machines), observe=self.waits.append)

    @property
    def is_red(self) -> bool:
        """Whether anything has failed so far: a test, the converge, or the infrastructure."""
        failed = self.config.pluginmanager.getplugin("session").testsfailed > 0
        return failed or self.infrastructure_error is not None or self.failed_converge is not None

    def say(self, line: str) -> None:
        """Write a line to the terminal now, even while pytest captures output: a slow run has to show progress."""
        manager = self.config.pluginmanager
        reporter, capture = manager.getplugin("terminalreporter"), manager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if reporter is not None:
                reporter.ensure_newline()
                reporter.write_line(line)

    def hold(self) -> Lifecycle:
        """Lock the machines: from the first call until :meth:`release` no other run touches them.

        Raises:
            LockError: another run holds them.
        """
        if self.lifecycle is None:
            with ExitStack() as stack:
                stack.enter_context(locked(self.settings.state_directory, within_holder=self.settings.as_they_are))
                self.mark_processes()
                stack.callback(os.environ.pop, MARK_OF_RUN, None)
                self._hold = stack.pop_all()
            self.timeline.note("begin", topology=self.settings.topology, provider=self.settings.provider)
            self.lifecycle = Lifecycle(self.settings, Progress(write=self.say, timeline=self.timeline))
        return self.lifecycle

    def mark_processes(self) -> None:
        """Mark all processes started from now on, so that a later run finds them if this process is killed."""
        os.environ[MARK_OF_RUN] = mark_of_run(self.settings.checkout_id, self.settings.run_id)

    def release(self) -> None:
        """Unlock the machines for other runs."""
        self._hold.close()

    def attempt(self, phase: Callable[[], Value]) -> Value:
        """Run ``phase``; a HarnessError ends the whole run with its exit code instead of failing tests."""
        try:
            return phase()
        except HarnessError as error:
            self.fail(error)

    def fail(self, error: HarnessError) -> NoReturn:
        """End the run, in all its processes, with ``error``."""
        self.infrastructure_error = error
        self.note_cause(error)
        if self.is_worker and self.shared is not None:
            self.shared.keep(INFRASTRUCTURE_ERROR, error)
            # Without this, xdist reports the running test as a crash of the worker.
            self.config.pluginmanager.getplugin("session").shouldstop = str(error)
        end_with(error)

    def warn(self, error: HarnessError) -> None:
        """Print the error once at the end as a warning: pytest only shows something, and runs no test."""
        line = f"warning: {error}"
        if line not in self.closing_lines:
            self.closing_lines.append(line)

    def note_failed_task(self, error: ConvergeError) -> None:
        """Store the failed task for all processes of the run; raises the error if no task ran."""
        if not error.play:
            raise error
        self.failed_converge = error
        if self.is_worker and self.shared is not None:
            self.shared.keep(FAILED_CONVERGE, error)
        self.note_cause(error)

    def note_cause(self, error: HarnessError) -> None:
        """Record in the timeline why this run is red, for its report."""
        host = error.host if isinstance(error, ConvergeError) else ""
        facts = {"what": error.cause, "hint": error.hint, "host": host, "log": str(error.log or "")}
        self.timeline.note("cause", **facts)

    def learn_from_workers(self) -> None:
        """On the controller, after the end of all workers: read the errors that they stored."""
        if self.relay is None or self.shared is None:
            return
        self.relay.end()
        self.infrastructure_error = self.shared.kept(INFRASTRUCTURE_ERROR) or self.infrastructure_error
        self.failed_converge = self.shared.kept(FAILED_CONVERGE) or self.failed_converge


INFRASTRUCTURE_ERROR, FAILED_CONVERGE = "infrastructure-error", "failed-converge"
"""Names under which a worker stores its errors for the whole run."""

RUN = pytest.StashKey[Run]()


def run_of(config: pytest.Config) -> Run:
    """Return the run of this process."""
    return config.stash[RUN]
