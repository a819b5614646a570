"""From facts to steps: what is kept, what is replaced, and that the list of steps can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proving_ground.ansible.phases import Phase
from proving_ground.core.errors import UsageError
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.lifecycle.planner import Facts, await_restored, plan_converge, plan_machines, plan_prepare
from proving_ground.machines.ledger import Record

CREATED, STORE, ALL = PHASES = (Phase("created", 0), Phase("store", 2), Phase("all", 3))
KEYS = {"created": "k0", "store": "k2", "all": "k3"}
UP = Record("earlier", "default", "docker", phase="created")


def facts(record: Record | None = None, **changes: Any) -> Facts:
    asked = {
        key: changes.pop(key)
        for key in ("reuse", "checkpoints", "topology", "profile", "overrides", "provider")
        if key in changes
    }
    return Facts(Settings(Path("/project"), "now", **asked), record, PHASES, PHASES, KEYS, **changes)


def words(given: Facts) -> list[str]:
    return [str(step) for step in plan_converge(given)]


def test_without_machines_they_are_created_and_converged() -> None:
    assert words(facts()) == ["create the machines", "converge: run the whole playbook"]


def test_machines_that_are_converged_with_the_same_content_are_only_looked_at() -> None:
    assert words(facts(replace(UP, phase="converged", converged_key="k3"))) == ["check that every machine answers"]


def test_machines_with_other_content_are_converged_again() -> None:
    there = replace(UP, phase="converged", converged_key="old")
    assert words(facts(there)) == ["check that every machine answers", "converge: run the whole playbook"]


def test_with_reuse_machines_are_taken_as_they_are() -> None:
    there = replace(UP, phase="converged", converged_key="old")
    assert words(facts(there, reuse=True)) == ["check that every machine answers"]


@pytest.mark.parametrize("record", [None, replace(UP, phase="creating")])
def test_with_reuse_and_nothing_up_there_is_nothing_to_test(record: Record | None) -> None:
    with pytest.raises(UsageError, match="no machines of this checkout are up"):
        plan_machines(facts(record, reuse=True))


@pytest.mark.parametrize(
    "other", [{"topology": "single"}, {"provider": "libvirt"}, {"profile": "cluster"}, {"overrides": "web.count=3"}]
)
def test_machines_of_another_kind_are_not_replaced_unasked(other: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="machines of topology 'default' on provider 'docker' are up"):
        plan_converge(facts(UP, **other))


def test_machines_on_other_engines_are_not_those_of_the_settings() -> None:
    there = Record("earlier", "default", "container", phase="created", engines=["one", "two"])
    same = Settings(Path("/project"), "now", provider="container", project=Project(engines=("one", "two")))
    assert list(map(str, plan_machines(replace(facts(there), settings=same)))) == ["check that every machine answers"]
    other = replace(same, project=Project(engines=("one", "three")))
    with pytest.raises(UsageError, match="on provider 'container' of one, two are up"):
        plan_machines(replace(facts(there), settings=other))


def test_machines_of_a_profile_are_named_with_it_and_are_not_those_of_no_profile() -> None:
    there = replace(UP, phase="converged", converged_key="k3", profile="cluster")
    with pytest.raises(UsageError, match="machines of profile 'cluster', topology 'default' on provider 'docker' are"):
        plan_machines(facts(there))
    assert words(facts(there, profile="cluster")) == ["check that every machine answers"]


def test_machines_of_an_overridden_plan_are_named_with_it_and_are_not_those_of_the_plan() -> None:
    there = replace(UP, phase="converged", converged_key="k3", overrides="web.count=3")
    with pytest.raises(UsageError, match=r"machines of topology 'default' with web\.count=3 on provider 'docker' are"):
        plan_machines(facts(there))
    assert words(facts(there, overrides="web.count=3")) == ["check that every machine answers"]


def test_what_an_interrupted_creation_left_is_removed_first() -> None:
    assert words(facts(replace(UP, phase="creating")))[0] == (
        "remove the machines: an earlier run ended while it was creating them"
    )


PREPARE = "prepare: run prepare.yml"


def prepared(record: Record | None = None, **changes: Any) -> list[str]:
    return words(facts(record, prepare="prepare.yml", **changes))


def test_new_machines_are_prepared_once() -> None:
    assert prepared() == ["create the machines", PREPARE, "converge: run the whole playbook"]
    assert PREPARE in prepared(UP)
    assert PREPARE not in prepared(replace(UP, prepared=True))
    assert PREPARE not in prepared(UP, reuse=True)


def test_machines_of_a_project_without_a_playbook_are_prepared() -> None:
    assert words(Facts(Settings(Path("/project"), "now"), None, prepare="prepare.yml")) == [
        "create the machines",
        PREPARE,
    ]


def test_by_checkpoints_the_first_one_has_prepared_machines() -> None:
    begins = [PREPARE, "save checkpoint created (k0)", "converge phase store: plays 1 to 2"]
    assert prepared(checkpoints=True)[:4] == ["create the machines", *begins]
    assert prepared(replace(UP, created_key="k0"), checkpoints=True)[:3] == begins, "they were created for it"
    assert prepared(UP, checkpoints=True)[1:5] == ["create the machines", *begins], "with what else, nobody knows"
    assert PREPARE not in prepared(checkpoints=True, saved=frozenset({"k0"})), "a restored machine is prepared"


@pytest.mark.parametrize("checkpoints", [False, True])
def test_the_preparation_is_the_first_part_of_the_converge(*, checkpoints: bool) -> None:
    whole = facts(checkpoints=checkpoints, prepare="prepare.yml")
    first = [str(step) for step in plan_prepare(whole)]
    assert first == words(whole)[: len(first)]
    assert first[1] == PREPARE
    assert len(first) == (3 if checkpoints else 2)
    assert plan_prepare(facts()) == []


def test_by_checkpoints_every_phase_is_saved() -> None:
    assert words(facts(checkpoints=True)) == [
        "create the machines",
        "save checkpoint created (k0)",
        "converge phase store: plays 1 to 2",
        "save checkpoint store (k2)",
        "converge phase all: plays 3 to 3",
        "save checkpoint all (k3)",
        "note that the machines are converged",
    ]


def test_by_checkpoints_the_newest_that_still_applies_is_restored() -> None:
    assert words(facts(checkpoints=True, saved=frozenset({"k0", "k2", "of other content"}))) == [
        "restore the machines from checkpoint store (k2)",
        "wait for what runs on the restored machines, up to phase store",
        "converge phase all: plays 3 to 3",
        "save checkpoint all (k3)",
        "note that the machines are converged",
    ]


def test_by_checkpoints_machines_of_another_provider_are_replaced_although_their_content_is_the_same() -> None:
    there = replace(UP, provider="libvirt", reached="store", reached_key="k2")
    assert words(facts(there, checkpoints=True))[:2] == [
        "remove the machines: they were converged with other content",
        "create the machines",
    ]


def test_a_project_without_a_playbook_only_needs_machines() -> None:
    assert plan_converge(Facts(Settings(Path("/project"), "now"), None)) == plan_machines(facts())


def test_restored_machines_are_awaited_in_two_parts_at_most() -> None:
    restored = replace(UP, reached="all", reached_key="k3", restored_at="2026-01-01T00:00:00Z")
    (first,) = await_restored(facts(restored), STORE)
    assert (first.begin, first.end, first.complete) == (0, STORE, False)
    rest = replace(restored, awaited=2)
    assert await_restored(facts(rest), STORE) == []
    (second,) = await_restored(facts(rest), ALL)
    assert (second.begin, second.end, second.complete) == (2, ALL, True)
