"""Which tasks a converge waited for: on one host, on several that wait for each other, and on several that do not."""

from __future__ import annotations

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.report.critical_path import CriticalPath, critical_path, is_wait
from proving_ground.report.phases import Phase


def task(host: str, name: str, start: float, end: float, action: str = "copy", role: str = "web") -> Outcome:
    return Outcome(host, role, name, "x.yml:1", "ok", end - start, start=1000 + start, action=action)


def path(*tasks: Outcome, end: float) -> CriticalPath:
    return critical_path(Phase("converge", 1000.0, 1000.0 + end, "done", tasks))


def steps(found: CriticalPath) -> list[tuple[str, str, float]]:
    return [(step.outcome.host, step.outcome.task, round(step.alone, 2)) for step in found.steps]


def test_one_host_is_waited_for_all_the_time() -> None:
    found = path(task("a", "first", 1, 3), task("a", "second", 3.5, 5), end=6)
    assert steps(found) == [("a", "first", 2), ("a", "second", 1.5)]
    assert (found.working, found.waiting, found.between) == (3.5, 0, 2.5)


def test_the_slowest_host_of_each_task_is_waited_for() -> None:
    found = path(
        *(task("a", "first", 0, 1), task("b", "first", 0, 4), task("c", "first", 0, 2)),
        *(task("a", "second", 4, 9), task("b", "second", 4, 5)),
        end=9,
    )
    assert steps(found) == [("b", "first", 2), ("a", "second", 4)]
    assert found.by("host") == [("a", 5), ("b", 4)]


def test_hosts_that_go_their_own_way_are_followed_by_themselves() -> None:
    found = path(
        *(task("a", "first", 0, 2), task("a", "second", 2, 3)),
        *(task("b", "first", 0, 2), task("b", "second", 2, 8)),
        end=8,
    )
    assert steps(found) == [("b", "first", 0), ("b", "second", 5)]


def test_what_nobody_waited_for_is_not_on_the_path() -> None:
    found = path(task("a", "long", 0, 5), task("b", "short", 1, 2), end=5)
    assert steps(found) == [("a", "long", 4)]


def test_phase_without_times_has_no_path() -> None:
    found = critical_path(Phase("converge", 1000.0, 1003.0, "done", (Outcome("a", "", "x", "", "ok", 1.0),)))
    assert (found.steps, found.between) == ((), 3.0)


@pytest.mark.parametrize(
    ("name", "action"),
    [("Wait for the API", "shell"), ("Workers are Ready", "command"), ("etcd is healthy", "uri"), ("x", "wait_for")],
)
def test_a_task_that_waits_is_known_by_its_module_or_its_name(name: str, action: str) -> None:
    assert is_wait(task("a", name, 0, 1, action))
    assert path(task("a", name, 0, 1, action), end=1).waiting == 1


@pytest.mark.parametrize("name", ["Install the waiter", "Settings are in place", "Plan the pod network"])
def test_a_task_that_works_is_no_wait(name: str) -> None:
    assert not is_wait(task("a", name, 0, 1))


def test_the_check_of_a_roles_arguments_works_whatever_the_role_is_about() -> None:
    name = "Validating arguments against arg spec main - Workers are ready"
    assert not is_wait(task("a", name, 0, 1, "ansible.builtin.validate_argument_spec"))
    assert is_wait(task("a", name, 0, 1, "ansible.builtin.command"))


def test_seconds_are_added_by_role_and_task() -> None:
    found = path(task("a", "x", 0, 1), task("a", "y", 1, 4, role="db"), task("a", "x", 4, 6), end=6)
    assert (found.by("role"), found.by("task")) == ([("web", 3), ("db", 3)], [("x", 3), ("y", 3)])
