"""Machines are placed where their constraints allow it, evenly, and in the same way each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.placement import Member, place
from proving_ground.core.topology import parse

ONE = Member("one", {"node.hostname": "first", "node.role": "manager", "node.labels.zone": "a"})
TWO = Member("two", {"node.hostname": "second", "node.role": "worker", "node.labels.zone": "b"})
THREE = Member("three", {"node.hostname": "third", "node.role": "worker"})


def placed(machines: Mapping[str, Any], *members: Member) -> dict[str, str]:
    return place(parse("own", {"machines": machines}).nodes, members)


def test_machines_without_constraints_take_turns_in_the_order_of_the_engines() -> None:
    assert placed({"db": None, "web": {"count": 3}}, ONE, TWO) == {
        "db-01": "one",
        "web-01": "two",
        "web-02": "one",
        "web-03": "two",
    }


def test_one_engine_has_all_machines() -> None:
    assert placed({"db": None, "web": None}, ONE) == {"db-01": "one", "web-01": "one"}


def test_a_machine_with_a_label_is_where_the_label_is() -> None:
    assert placed({"db": {"placement": ["node.labels.zone == b"]}}, ONE, TWO) == {"db-01": "two"}


@pytest.mark.parametrize(
    ("constraint", "engine"),
    [
        ("node.labels.zone==A", "one"),
        ("node.labels.zone != a", "two"),
        ("node.hostname == third", "three"),
        ("node.role != manager", "two"),
    ],
)
def test_constraints_are_written_as_for_docker(constraint: str, engine: str) -> None:
    assert placed({"db": {"placement": [constraint]}}, ONE, TWO, THREE) == {"db-01": engine}


def test_an_engine_without_a_label_differs_from_every_value_of_it() -> None:
    constraints = ["node.labels.zone != a", "node.labels.zone != b"]
    assert placed({"db": {"placement": constraints}}, ONE, TWO, THREE) == {"db-01": "three"}


def test_machines_with_less_choice_come_first_so_that_the_others_fill_up() -> None:
    machines = {"web": {"count": 2}, "db": {"count": 2, "placement": ["node.labels.zone == a"]}}
    found = placed(machines, ONE, TWO)
    assert found == {"web-01": "two", "web-02": "two", "db-01": "one", "db-02": "one"}
    assert list(found) == ["web-01", "web-02", "db-01", "db-02"], "in the order of the topology"


@pytest.mark.parametrize(
    ("constraints", "text"),
    [
        (
            ["node.labels.zone == c"],
            "placement of db-01: no engine has node.labels.zone == c — it is a on one, b on two",
        ),
        (
            ["node.labels.zones == a"],
            "placement of db-01: no engine has node.labels.zones == a — did you mean node.labels.zone?",
        ),
        (
            ["node.labels.disk == ssd"],
            "placement of db-01: no engine has node.labels.disk == ssd — "
            "give a node the label: `docker node update --label-add disk=ssd NODE`",
        ),
        (
            ["node.labels.zone == a", "node.role == worker"],
            "placement of db-01: no engine has node.labels.zone == a and node.role == worker"
            " — it is a on one, b on two",
        ),
    ],
)
def test_constraints_that_no_engine_meets_are_an_error_that_says_what_there_is(
    constraints: list[str], text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        placed({"db": {"placement": constraints}}, ONE, TWO, THREE)
    assert str(caught.value) == text


def test_what_is_no_constraint_is_refused_with_the_plan() -> None:
    with pytest.raises(UsageError, match=r"placement\[0\].*is \"zone a\" — write .*node.labels.zone == a"):
        parse("own", {"machines": {"db": {"placement": ["zone a"]}}})
