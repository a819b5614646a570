"""Which worker gets which tests: the opening comes first and alone, then whole groups in their order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from proving_ground.plugin.xdist.scheduler import GroupsInOrder

GROUPS = {"open1": "opening", "open2": "opening", "open3": "opening"}
GROUPS |= {f"{file}{test}": file for file in ("a", "b", "c") for test in (1, 2)}


class Worker:
    """A worker as xdist's schedulers see it; begins a test as soon as it knows the one after."""

    def __init__(self, name: str, tests: list[str]) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.tests, self.queue, self.shutting_down = tests, list[str](), False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.queue += [self.tests[index] for index in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A run of as many workers as asked for, a test at a time."""

    def __init__(self, workers: int, tests: list[str] | None = None) -> None:
        self.tests = tests or list(GROUPS)
        option = SimpleNamespace(loadscopereorder=True)
        config: Any = SimpleNamespace(option=option, getvalue=lambda _: ["popen"] * workers)
        log: Any = SimpleNamespace(loadscopesched=lambda *_: None)
        self.scheduler = GroupsInOrder(config, log, "opening", lambda: GROUPS)
        self.done: list[str] = []
        for _ in range(workers):
            self.add()
        self.scheduler.schedule()

    @property
    def workers(self) -> list[Worker]:
        return list(self.scheduler.nodes)

    def add(self) -> Worker:
        worker = Worker(f"gw{len(self.scheduler.registered_collections)}", self.tests)
        self.scheduler.add_node(worker)
        self.scheduler.add_node_collection(worker, self.tests)
        return worker

    def step(self, worker: Worker) -> str | None:
        """Let the worker run its next test, if it can begin one; returns which."""
        if len(worker.queue) < (1 if worker.shutting_down else 2):
            return None
        test = worker.queue.pop(0)
        self.done.append(test)
        self.scheduler.mark_test_complete(worker, self.tests.index(test))
        return test

    def finish(self) -> None:
        """Let all workers run on in turn until none can."""
        while [worker for worker in self.workers if self.step(worker)]:
            pass


@pytest.mark.parametrize("workers", [1, 2, 3, 9])
def test_every_test_is_run_once_and_the_opening_before_all_others(workers: int) -> None:
    run = Run(workers)
    run.finish()
    assert sorted(run.done) == sorted(GROUPS)
    assert run.done[:3] == ["open1", "open2", "open3"]
    assert run.scheduler.tests_finished


def test_while_the_opening_runs_the_other_workers_have_nothing_to_do() -> None:
    run = Run(3)
    opener, *others = run.workers
    run.step(opener)
    assert [other.queue for other in others] == [[], []]
    while run.done[-1] != "open3":
        run.step(opener)
    assert all(other.queue for other in others)


def test_tests_of_a_group_stay_together_and_groups_in_their_order() -> None:
    run = Run(2, ["b1", "b2", "a1", "c1", "a2", "c2"])
    first, second = run.workers
    assert (first.queue[:2], second.queue[:2]) == (["b1", "b2"], ["a1", "a2"])


def test_a_large_group_does_not_overtake_a_small_one() -> None:
    run = Run(2, ["alone", "a1", "a2", "b1", "b2"])
    first, second = run.workers
    assert (first.queue[0], second.queue[:2]) == ("alone", ["a1", "a2"])
    assert run.scheduler.config.option.loadscopereorder, "the user's options are not ours to change"


def test_the_opening_comes_first_wherever_it_was_collected() -> None:
    run = Run(2, ["a1", "a2", "b1", "b2", "open1", "open2", "open3"])
    run.finish()
    assert run.done[:3] == ["open1", "open2", "open3"]


def test_without_an_opening_all_workers_begin_at_once() -> None:
    run = Run(2, ["a1", "a2", "b1", "b2"])
    assert all(worker.queue for worker in run.workers)


@pytest.mark.parametrize("done", range(9))
def test_a_crash_costs_the_test_that_it_happened_in_and_no_other(done: int) -> None:
    run = Run(1)
    (crashed,) = run.workers
    for _ in range(done):
        assert run.step(crashed)
    running = crashed.queue[0]
    assert run.scheduler.remove_node(crashed) == running
    run.add()
    run.scheduler.schedule()
    run.finish()
    assert sorted([*run.done, running]) == sorted(GROUPS)


def test_a_worker_that_has_done_its_work_leaves_nothing() -> None:
    run = Run(2)
    run.finish()
    assert [run.scheduler.remove_node(worker) for worker in run.workers] == [None, None]


def test_when_the_opening_crashes_another_worker_goes_on_with_it() -> None:
    run = Run(2)
    opener, other = run.workers
    run.step(opener)
    assert run.scheduler.remove_node(opener) == "open2"
    assert other.queue[0] == "open3"
