"""Put in one fault after the other, run the tests while it is in, and show that they are green before and after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from proving_ground.core.errors import HarnessError
from proving_ground.core.polling import NotReady, WaitTimeoutError
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts
from proving_ground.faults.catalogue import Fault, fault_named
from proving_ground.faults.injection import Injection
from proving_ground.faults.junit import cases
from proving_ground.faults.verdict import Case, Noticed, judge, not_tried
from proving_ground.plugin.debug_hints import machine_options
from proving_ground.plugin.under_fault import UNDER_FAULT

MOST_RED = 5
"""Red tests after which the tests end: more say nothing more about a fault, and each may wait for its time-out."""

MORE_SECONDS = 5
"""Seconds for which tests go on after the first red one."""

NEEDLESS = ("plugin.failure_evidence", "plugin.health_scan", "report.plugin")
"""Parts of the plugin without which tests run under a fault, and after it: what is broken is known."""

LONGEST = 1800
"""Seconds of the tests under one fault; every test has time-outs of its own, so this is for one that hangs."""

ENDING = 60
"""Seconds for the tests to end after they have been told to."""

KILLED = 10
"""Seconds for a killed process to be gone."""

GREEN_AGAIN = 120
"""Seconds until the tests that were red are green after the fault."""


@dataclass
class FaultRuns:
    """Runs of the project's tests under faults.

    Attributes:
        settings: of the run.
        paths: where the project's tests are, as on the command line; empty for its usual ones.
        roles: the roles that the run's faults concern.
        injection: puts faults in.
        machine_of: returns the name of the machine that gets a fault.
        timeouts: of the machines.
        say: receives a line for each fault.
        results: what the tests have noticed, by fault.
        red_before: the tests that are red without a fault; None until they ran.
    """

    settings: Settings
    paths: Sequence[str]
    roles: Collection[str]
    injection: Injection
    machine_of: Callable[[Fault], str]
    timeouts: Timeouts
    say: Callable[[str], None]
    results: dict[str, Noticed] = field(default_factory=dict)
    red_before: Sequence[Case] | None = None

    def notice(self, name: str) -> Noticed:
        """Put a fault in, run the tests, take it out, and wait until what was red is green again.

        Args:
            name: the fault's.

        Raises:
            AssertionError: the tests were not green before.
            HarnessError: a script of the fault's failed.
        """
        self._begin_green()
        fault = fault_named(name, self.settings.faults)
        try:
            with self.injection.inside(fault, self.machine_of(fault)):
                found = self._run(fault.name, fault.roles, paths=self.paths)
        except HarnessError as error:
            self.results[name] = not_tried(fault, str(error))
            raise
        noticed = judge(fault, found)
        self.say(f"{name}: {noticed}")
        if noticed.first:
            try:
                self._end_green(fault, [noticed.first, *noticed.others])
            except WaitTimeoutError as error:
                noticed = replace(noticed, problems=(*noticed.problems, str(error)))
        self.results[name] = noticed
        return noticed

    def _begin_green(self) -> None:
        """Run all tests of the roles once without a fault: a test that is red then says nothing of a fault."""
        if self.red_before is None:
            for left in self.injection.take_out_all():
                self.say(f"{left.name} was still in on {left.where}, and is out now")
            found = self._run(
                "without-a-fault", self.roles, paths=self.paths, most=sys.maxsize, more=LONGEST, without=()
            )
            assert found, "without a fault no test ran"
            self.red_before = [case for case in found if case.red]
        assert not self.red_before, f"without a fault these are red: {_listed(self.red_before)}"

    def _end_green(self, fault: Fault, nodeids: Sequence[str]) -> None:
        def green() -> None:
            red = [case for case in self._run(f"{fault.name}-after", (), paths=nodeids) if case.red]
            if red:
                raise NotReady(f"these are red: {_listed(red)}")

        self.timeouts.wait_until(f"all is green again after {fault.name}", green, timeout=GREEN_AGAIN, interval=1)

    def _run(
        self,
        name: str,
        roles: Iterable[str],
        *,
        paths: Sequence[str],
        most: int = MOST_RED,
        more: float = MORE_SECONDS,
        without: Sequence[str] = NEEDLESS,
    ) -> list[Case]:
        """Run tests on the machines that are up, in a process of its own: this one's fixtures know the healthy ones."""
        directory = self.settings.artifacts / "faults"
        directory.mkdir(parents=True, exist_ok=True)
        results = directory / f"{name}.xml"
        words = [sys.executable, "-m", "pytest", *([] if self.settings.is_existing else ["--pg-reuse"])]
        words += [*machine_options(self.settings), *(f"--pg-role={role}" for role in roles)]
        words += [f"--maxfail={most}", "-p", "no:cacheprovider"]
        words += [word for part in without for word in ("-p", f"no:proving_ground.{part}")]
        words += ["-o", "junit_family=xunit1", f"--junitxml={results}", *paths]
        results.unlink(missing_ok=True)
        with (directory / f"{name}.log").open("w", encoding="utf-8") as log:
            surroundings = {**os.environ, UNDER_FAULT: str(self.timeouts.seconds(more))}
            tests = subprocess.Popen(
                words,
                cwd=self.settings.root,
                env=surroundings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then tells them once
            )
            try:
                tests.wait(self.timeouts.seconds(LONGEST))
            except BaseException:
                # They end as every interrupted run does: they remove what they have put on the machines.
                tests.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    tests.wait(self.timeouts.seconds(ENDING))
                raise
            finally:
                tests.kill()
                tests.wait(KILLED)
        return cases(results)


def _listed(found: Sequence[Case]) -> str:
    return "; ".join(f"{case.nodeid} ({case.message})" for case in found[:MOST_RED])
