"""With ``--pg-simulated-nodes`` tests of the cluster have so many simulated nodes beside the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError, MachineError, UsageError
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes.manifests import MOST
from proving_ground.kubernetes.simulated_nodes.simulation import Simulation, cluster_of
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.options import given, only_looks
from proving_ground.plugin.run import Run, run_of
from proving_ground.plugin.xdist.workers import once

OPTION = "simulated-nodes"
"""The option's name, and that of the directory of what is known of them, which is there as long as they are."""

FIXTURE = "pg_simulated_nodes"
MARKER = "scale"


@dataclass(frozen=True)
class SimulatedNodes:
    """The simulated nodes of a run.

    Attributes:
        simulation: removes them, before the end of the run.
        names: their names.
        ready_seconds: the seconds from the start until all were Ready.
    """

    simulation: Simulation
    names: list[str]
    ready_seconds: float


def wanted(config: pytest.Config) -> int:
    """Return how many simulated nodes the run is to have; 0 without the option.

    Raises:
        UsageError: the value is no number of nodes that one controller can simulate.
    """
    text = given(config, OPTION)
    if text and not (text.isascii() and text.isdecimal() and int(text) <= MOST):
        hint = f"KWOK's controller is made for up to {MOST}"
        raise UsageError(f"{text!r} is no number of nodes", where=f"--pg-{OPTION}", hint=hint)
    return int(text or 0)


def pytest_configure(config: pytest.Config) -> None:
    """End the run at once if the option's value is wrong."""
    try:
        wanted(config)
    except UsageError as error:
        if not only_looks(config):
            end_with(error)


@pytest.fixture(scope="session")
def pg_simulated_nodes(pytestconfig: pytest.Config, request: pytest.FixtureRequest, pg_kube: Kube) -> SimulatedNodes:
    """The simulated nodes beside the real ones, all of them Ready; none without ``--pg-simulated-nodes``.

    All tests of a run with that option that use ``pg_kube`` have them.
    """
    run, number = run_of(pytestconfig), wanted(pytestconfig)
    simulation = simulation_of(run, pg_kube)
    say = run.shared.say if run.is_worker and run.shared is not None else run.say

    def start() -> float:
        if not number:
            simulation.remove()
            return 0.0
        program: Path = request.getfixturevalue("pg_kwok")
        say(f"{number} simulated nodes …")
        seconds = simulation.start(program, number)
        say(f"{number} simulated nodes are Ready after {seconds:.1f} s")
        return seconds

    seconds = run.attempt(lambda: once(run, OPTION, start))
    return SimulatedNodes(simulation, simulation.names, seconds)


def simulation_of(run: Run, kube: Kube | None = None) -> Simulation:
    """Return the simulation of this checkout, on a cluster, or on the one that its nodes are left on."""
    settings = run.settings
    directory = settings.state_directory / OPTION
    kube = kube or cluster_of(directory, run.timeouts)
    return Simulation(kube, directory, settings.artifacts / "kwok.log", settings.checkout_id)


def are_left(run: Run) -> bool:
    """Return whether there are simulated nodes, of this run or of one that was killed."""
    return (run.settings.state_directory / OPTION).is_dir()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests of the cluster have the simulated nodes; those that a killed run has left are removed before them."""
    number, run = wanted(config), run_of(config)
    if not number:
        reason = f"it is about simulated nodes: --pg-{OPTION} says how many"
        for item in items:
            if item.get_closest_marker(MARKER):
                item.add_marker(pytest.mark.skip(reason=reason))
    if number or are_left(run):
        for item in items:
            names: list[str] = getattr(item, "fixturenames", [])
            if "pg_kube" in names and FIXTURE not in names and not item.get_closest_marker("lifecycle"):
                names.insert(0, FIXTURE)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove them at the end of the run, after the last worker has ended."""
    run = run_of(session.config)
    if run.is_worker or run.only_looks or not are_left(run) or not wanted(session.config):
        return
    try:
        run.say("removing the simulated nodes …")
        run.say(f"the simulated nodes are gone after {simulation_of(run).remove():.1f} s")
    except Exception as error:  # whatever it is, the machines have to be removed
        known = error if isinstance(error, HarnessError) else MachineError(str(error), where="simulated nodes")
        run.infrastructure_error = run.infrastructure_error or known
        run.say(f"error: {known}")
