"""Values of a plan that the command line replaces are checked as the file's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.overrides import normalized, options
from proving_ground.core.plan import plan_of
from proving_ground.core.project import read_project
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology, parse

PLAN = {
    "machines": {
        "web": {"count": 2, "octet": 20, "environment": {"MODE": "a"}},
        "web.big": {"memory": 2048, "ports": ["8080:80"]},
        "db": None,
    }
}


def plan(*words: str) -> Topology:
    return parse("default", PLAN, overrides=normalized(shlex.join(words)))


def names(found: Topology) -> list[str]:
    return [node.name for node in found.nodes]


def test_numbers_memory_and_processors_are_replaced() -> None:
    found = plan("web.count=5", "web.memory=512", "web.cpus=3", "db.memory=128")
    assert names(found) == [*(f"web-0{number}" for number in range(1, 6)), "web.big-01", "db-01"]
    assert {(node.memory, node.cpus) for node in found.group("web")} == {(512, 3)}
    assert found.node("db-01").memory == 128
    assert found.node("web-05").address == found.node("web-01").address + 4
    assert names(parse("default", PLAN)) == ["web-01", "web-02", "web.big-01", "db-01"], "the plan itself stays"


def test_a_kind_with_a_dot_is_not_the_shorter_one() -> None:
    found = plan("web.big.memory=4096")
    assert (found.node("web.big-01").memory, found.node("web-01").memory) == (4096, 1024)


def test_texts_switches_and_values_of_tables_are_replaced() -> None:
    found = plan("db.image=debian:13", "db.numbered=false", "web.environment.MODE=b", "web.variables.port=81")
    assert found.node("db").image == "debian:13"
    assert found.node("web-01").options.environment == (("MODE", "b"),)
    assert found.node("web-01").variables == {"port": 81}
    found = plan("networks.machines=10.9.0.0/24", "variables.role=primary", "group_variables.web.port=82")
    assert str(found.node("db-01").address) == "10.9.0.12"
    assert (found.variables, found.group_variables) == ({"role": "primary"}, {"web": {"port": 82}})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("web.count=10", "--pg-set web.count=10: is 10 — write a whole number from 1 to 9"),
        ("web.count=0", "--pg-set web.count=0: is 0 — write a whole number from 1 to 9"),
        ("web.count=two", '--pg-set web.count=two: is "two" — write a whole number from 1 to 9'),
        ("web.count=", "--pg-set web.count=: is empty — write a whole number from 1 to 9"),
        ("web.memory=5", "--pg-set web.memory=5: is 5 — write a whole number, 64 or more"),
        ("wbe.count=3", "--pg-set wbe.count=3: no kind of machines is called wbe — did you mean web?"),
        ("web.cuont=3", "--pg-set web.cuont=3: unknown key cuont — did you mean count?"),
        ("web.count", "--pg-set web.count: a value is missing — write KIND.KEY=VALUE, such as web.count=3"),
        ("count=3", "--pg-set count=3: count names no key of a kind of machines — write KIND.KEY=VALUE"),
        ("web.ports=80", "--pg-set web.ports=80: ports is not a single value — write it in the plan's file"),
        ("web.variables=1", "--pg-set web.variables=1: variables is not a single value — write variables.NAME=VALUE"),
        ("web.count=[1]", "--pg-set web.count=[1]: [1] is not a single value — write a number"),
        ("networks.machines=ten", "networks.machines: 'ten' is no IPv4 network"),
        ("group_variables.moon.a=1", "group_variables.moon: no machine is in this group — choose one of"),
    ],
)
def test_what_cannot_be_is_refused_with_the_word_that_says_it(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(word)
    assert message in str(caught.value)


def test_all_wrong_words_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        plan("web.count=10", "db.cpus=0")
    assert [line.partition(" is ")[0] for line in str(caught.value).splitlines()] == [
        "--pg-set web.count=10:",
        "--pg-set db.cpus=0:",
    ]


def test_machines_that_get_the_address_of_others_are_told_with_the_word(tmp_path: Path) -> None:
    text = '[tool.proving-ground]\nimage = "debian:12"\nmachines.web = {octet = 20}\nmachines.db = {octet = 23}\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    settings = Settings(tmp_path, "run", provider="container", project=read_project(tmp_path), overrides="web.count=3")
    assert names(plan_of(settings)) == ["web-01", "web-02", "web-03", "db-01"]
    with pytest.raises(UsageError) as caught:
        plan_of(Settings(tmp_path, "run", project=settings.project, provider="container", overrides="web.count=4"))
    assert str(caught.value).endswith(
        "pyproject.toml:4: machines.db: web-04 and db-01 share 10.0.0.23 — choose another octet, or drop "
        "--pg-set=web.count=4"
    )


def test_a_project_with_an_image_alone_has_as_many_machines_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.proving-ground]\nimage = "debian:12"\n', encoding="utf-8")
    project = read_project(tmp_path)
    found = plan_of(Settings(tmp_path, "run", provider="container", project=project, overrides="machine.count=3"))
    assert names(found) == ["machine-01", "machine-02", "machine-03"]


def test_a_file_of_the_projects_topologies_is_overridden(tmp_path: Path) -> None:
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {web: {}}", encoding="utf-8")
    assert names(plan_of(Settings(tmp_path, "run", overrides="web.count=2"))) == ["web-01", "web-02"]


def test_the_last_word_for_a_value_counts_and_their_order_does_not() -> None:
    assert normalized("web.count=3 db.cpus=2 web.count=5") == "db.cpus=2 web.count=5"
    assert normalized("web.count=5 db.cpus=2") == "db.cpus=2 web.count=5"
    assert options(normalized("db.cpus=2 'web.variables.motto=a b'")) == [
        "--pg-set=db.cpus=2",
        "--pg-set=web.variables.motto=a b",
    ]
    assert options("") == []


def test_a_quotation_mark_that_is_missing_is_told() -> None:
    with pytest.raises(UsageError, match=r"--pg-set: .* cannot be read: No closing quotation"):
        normalized("web.variables.motto='a b")
