"""Run tests in several xdist workers on one set of machines: the controller locks it, the workers share it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from proving_ground.core.errors import LockError
from proving_ground.plugin.exit_codes import end_with
from proving_ground.plugin.run import Run, run_of
from proving_ground.plugin.xdist.handover import HANDED, handed_over
from proving_ground.plugin.xdist.output_relay import Relay, WholeLines
from proving_ground.plugin.xdist.shared_state import Shared

Value = TypeVar("Value")

PLAN, HELD = "plan", "held"

OPENING = "opening"
"""The group of tests that bring the machines up and converge them; other tests wait for it."""

DISRUPTIVE = "disruptive"


def worker_number(config: pytest.Config) -> int:
    """Return this worker's number, from 0; also 0 without workers."""
    name: str = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


def once(run: Run, name: str, phase: Callable[[], Value]) -> Value:
    """Run a phase that changes machines: once for all workers, while no test uses the machines."""
    return phase() if run.shared is None else run.shared.once(name, phase)


def uses_machines(item: pytest.Item) -> bool:
    """Return whether a test needs the run's phases or machines."""
    return "pg_lifecycle" in getattr(item, "fixturenames", []) or is_for_machines(item)


def is_for_machines(item: pytest.Item) -> bool:
    """Return whether a test needs machines."""
    return "pg_machines" in getattr(item, "fixturenames", []) or item.get_closest_marker("role") is not None


def group(item: pytest.Item) -> str:
    """Return a test's group, which one worker runs in order: the tests of a file, unless markers say otherwise."""
    if not uses_machines(item):
        return item.nodeid
    opens = item.get_closest_marker("lifecycle") or item.get_closest_marker("before_converge")
    if opens and not run_of(item.config).settings.reuse:
        return OPENING
    if item.get_closest_marker(DISRUPTIVE):
        return DISRUPTIVE
    marker = item.get_closest_marker("xdist_group")
    if marker is None:
        return item.nodeid.partition("::")[0]
    return str(marker.args[0] if marker.args else marker.kwargs["name"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """On the controller: pass the run's id and the shared directory to every worker, also to a replacement."""
    run = run_of(node.config)
    if run.shared is None:
        directory = tempfile.TemporaryDirectory(prefix="proving-ground-run-")
        node.config.add_cleanup(directory.cleanup)
        run.shared = Shared(Path(directory.name))
        lines = WholeLines(node.config)
        node.config.pluginmanager.register(lines)
        run.relay = Relay(run.shared, lines.write)
        run.relay.start()
    node.workerinput[HANDED] = handed_over(run.settings.run_id, run.shared)


@pytest.hookimpl(tryfirst=True)  # before xdist tells the controller that the collection is complete
def pytest_collection_finish(session: pytest.Session) -> None:
    """In a worker: share which tests belong to which group, and whether any of them needs machines."""
    run = run_of(session.config)
    if run.is_worker and run.shared is not None:
        groups = {item.nodeid: group(item) for item in session.items}
        run.shared.keep(PLAN, (groups, any(uses_machines(item) for item in session.items)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """On the controller, before a test runs: lock the machines for all workers, if any test needs them."""
    run = run_of(node.config)
    assert run.shared is not None, "pytest_configure_node sets it before a worker starts"
    _, machines_are_needed = run.shared.kept(PLAN)
    if machines_are_needed and not run.shared.kept(HELD):
        try:
            run.hold()
        except LockError as error:
            end_with(error)
        run.shared.keep(HELD, True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist load``, xdist's default: assign group by group, in order, the opening first."""
    if config.getoption("dist") != "load":
        return None
    from proving_ground.plugin.xdist.scheduler import GroupsInOrder  # needs xdist

    shared = run_of(config).shared
    assert shared is not None, "pytest_configure_node sets it before the scheduler starts"
    return GroupsInOrder(config, log, OPENING, lambda: shared.kept(PLAN)[0])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """In a worker: a test that needs machines takes the lock, shared or, if it disrupts other tests, exclusively."""
    run = run_of(item.config)
    if run.shared is None or not uses_machines(item):
        return (yield)
    lock = run.shared.lock
    with lock.exclusive() if item.get_closest_marker(DISRUPTIVE) else lock.shared():
        return (yield)
