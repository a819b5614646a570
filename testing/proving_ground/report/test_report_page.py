"""The report's page: what stands on it, that it needs nothing else, and that nothing on it is taken for its own."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.core import topology
from proving_ground.core.settings import Settings
from proving_ground.report.chart import GridPicture, Span, chart, duration, grid_picture, round_seconds
from proving_ground.report.facts import Facts
from proving_ground.report.page import render
from proving_ground.report.phases import phases, role_runs
from proving_ground.report.results import Failure, Result
from proving_ground.report.sections import Cell, Grid, Row, Section, Table
from proving_ground.report.view import files, first_cause, headline

ROOT = Path(__file__).parents[3]
PLAN = topology.load(ROOT / "topology", "default")
SETTINGS = Settings(ROOT, "20261123T120000-00001")
EVIL = "<script>alert(1)</script>&\"'"

PASSED = Result("tests/test_a.py::test_fine", "passed", start=160, setup=40, seconds=41, called=(200, 201))
FAILED = Result(
    "tests/test_b.py::test_red[kube-worker-01]",
    "failed",
    start=201,
    seconds=2,
    called=(201, 203),
    failures=(Failure("call", "it is off", "a traceback"),),
)


def phase(name: str, start: float, end: float | None = None, outcome: str = "done") -> dict[str, Any]:
    ended = {} if end is None else {"end": end, "outcome": outcome}
    return {"kind": "phase", "name": name, "start": start, **ended}


def task(host: str, name: str, start: float, seconds: float, status: str = "ok", role: str = "etcd") -> dict[str, Any]:
    message = "no such unit" if status == "failed" else ""
    return {"kind": "task", **Outcome(host, role, name, "x.yml:1", status, seconds, message, start=start).facts()}


NOTES = (
    phase("vagrant up", 101),
    phase("vagrant up", 101, 112),
    phase("converge", 112),
    task("etcd-01", "Quick", 113, 1),
    task("etcd-01", "Slow", 114, 9, "changed"),
    phase("converge", 112, 150),
    phase("converge", 160),
    task("localhost", "Again", 161, 1),
    phase("converge", 160, 180),
)
FACTS = Facts(
    SETTINGS,
    PLAN,
    began=100,
    ended=300,
    exit_code=0,
    command="pytest tests",
    notes=NOTES,
    counts={"passed": 1},
    results=[PASSED],
    files=["ansible.log", "junit.xml"],
)
RED = replace(
    FACTS,
    exit_code=1,
    counts={"failed": 1, "passed": 1},
    results=[PASSED, FAILED],
    evidence={FAILED.nodeid: ["test_b-test_red/kube-worker-01.txt"]},
    again=["pytest --pg-reuse 'tests/test_b.py::test_red[kube-worker-01]'"],
    access_commands=["ssh -F .proving-ground/ssh.config kube-worker-01"],
)


class Page(HTMLParser):
    """What a browser would find: tags, their attributes, and the text in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said += f" {' '.join(data.split())}"

    def links(self) -> list[str]:
        return [str(attributes["href"]) for _, attributes in self.tags if "href" in attributes]


def test_a_task_that_its_block_rescued_is_shown_so_and_one_that_failed_later_is_not() -> None:
    tasks = [task("etcd-01", name, 113, 1, status) for name, status in (("Try", "failed"), ("Mend", "ok"))]
    fatal = task("etcd-01", "Start", 115, 1, "failed")
    rescued = {"kind": "rescued", "hosts": {"etcd-01": 1}}
    (found,) = phases([phase("converge", 112), *tasks, fatal, rescued, phase("converge", 112, 150)], 150)
    assert [each.status for each in found.tasks] == ["rescued", "ok", "failed"]


def test_a_green_run_says_so_first_and_names_no_cause() -> None:
    said = Page(render(FACTS)).said
    assert said.index("✓ 1 tests passed") < said.index("took") < said.index("Where the time went")
    assert "3 min 20 s, from 1970-01-01 00:01:40 UTC to 1970-01-01 00:05:00 UTC" in said
    assert "topology default on docker" in said
    assert SETTINGS.run_id in said
    assert "First cause" not in said
    assert "Failures" not in said


def test_a_red_run_tells_cause_host_and_command_before_all_else() -> None:
    page = Page(render(RED))
    said = page.said
    assert said.index("1 of 2 tests failed") < said.index("First cause: kube-worker-01") < said.index("it is off")
    assert said.index(RED.again[0]) < said.index("Failures") < said.index("Where the time went")
    assert "a traceback" in said
    assert "test_b-test_red/kube-worker-01.txt" in page.links()
    assert RED.access_commands[0] in said


def test_a_link_to_a_failure_leads_there() -> None:
    page = Page(render(RED))
    inner = {link.removeprefix("#") for link in page.links() if link.startswith("#")}
    assert inner
    assert inner <= {attributes.get("id") for _, attributes in page.tags}


@pytest.mark.parametrize("facts", [FACTS, RED])
def test_the_page_needs_nothing_else_and_runs_nothing(facts: Facts) -> None:
    text = render(facts)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "src"]
    assert not [link for link in page.links() if ":" in link]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_a_converge_shows_what_it_waited_for() -> None:
    shown = Page(render(RED)).said
    assert "for tasks that work" in shown
    assert "tasks that it waited for, one after the other" in shown


def table(text: str) -> Table:
    return Table((text,), (Row((text,), "bad", (text,)),), text)


def test_a_table_shows_its_rows_and_marks_the_wrong_ones() -> None:
    rows = (Row(("kubelet-stopped", "test_kubelet")), Row(("names-gone", "no test"), "bad", ("nobody noticed",)))
    shown = Page(
        render(replace(FACTS, sections=[Section("Faults", tables=(Table(("fault", "first red"), rows),))]))
    ).said
    assert "kubelet-stopped" in shown
    assert "✗ names-gone" in shown
    assert "✗ kubelet-stopped" not in shown
    assert shown.index("names-gone") < shown.index("nobody noticed")


def test_what_is_wrong_with_a_row_has_the_tables_whole_width() -> None:
    row = Row(("names-gone", "no test", "4.0"), "bad", ("none of 300 tests noticed that names are gone",))
    page = render(replace(FACTS, sections=[Section("Faults", tables=(Table(("fault", "first", "s"), (row,)),))]))
    assert re.search(r'<td colspan="3"[^>]*>\s*<div>none of 300 tests noticed', page)


def test_no_text_is_taken_for_the_pages_own() -> None:
    cause = {"kind": "cause", "what": EVIL, "hint": EVIL, "host": EVIL, "log": ""}
    cell = Cell(EVIL, EVIL, "<", "bad", EVIL)
    facts = replace(
        RED,
        notes=[cause, phase(EVIL, 1, 2), task(EVIL, EVIL, 1, 1, "failed", EVIL)],
        results=[replace(FAILED, nodeid=f"{EVIL}::{EVIL}", failures=(Failure(EVIL, EVIL, EVIL + EVIL),), reason=EVIL)],
        files=[EVIL],
        again=[EVIL],
        command=EVIL,
        sections=[Section(EVIL, EVIL, (("<", "bad", EVIL),), (Grid(EVIL, (cell,), (EVIL,)),), (table(EVIL),))],
    )
    text = render(facts)
    assert "<script" not in text
    assert Page(text).said.count("<script>alert(1)</script>") > 10


def test_no_secret_gets_onto_the_page_whoever_says_it() -> None:
    secret = "password=correct-horse"
    facts = replace(
        RED,
        notes=[{"kind": "cause", "what": secret}, task("etcd-01", secret, 1, 1)],
        results=[replace(FAILED, failures=(Failure("call", secret, secret + "!"),))],
        command=secret,
        access_commands=[secret],
        sections=[
            Section(
                "x", secret, (), (Grid(secret, (Cell(secret, "b", "!", "bad", secret),), (secret,)),), (table(secret),)
            )
        ],
    )
    text = render(facts)
    assert "correct-horse" not in text
    assert text.count("password=[removed]") > 12


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, "1 tests passed"),
        (2, "interrupted"),
        (5, "no test ran"),
        (14, "A machine did not come up, does not exist, or cannot be reached"),
        (77, "ended with exit code 77"),
    ],
)
def test_the_headline_says_how_it_ended(code: int, expected: str) -> None:
    assert headline(replace(FACTS, exit_code=code)) == expected


def test_a_cause_outside_the_tests_comes_before_what_followed_from_it() -> None:
    note = {"kind": "cause", "what": "etcd-01: is unreachable", "log": str(SETTINGS.artifacts / "ansible.log")}
    cause = first_cause(replace(RED, notes=[*NOTES, note]))
    assert cause is not None
    assert cause["what"] == "etcd-01: is unreachable"
    assert cause["host"] == "etcd-01"
    assert cause["log"] == "ansible.log"


def test_tasks_belong_to_the_phase_they_ran_in_and_phases_of_one_name_are_told_apart() -> None:
    found = phases(NOTES, 300)
    assert [each.name for each in found] == ["vagrant up", "converge (1 of 2)", "converge (2 of 2)"]
    assert [[each.task for each in phase.tasks] for phase in found] == [[], ["Quick", "Slow"], ["Again"]]


def test_a_phase_that_never_ended_lasts_until_the_run_did() -> None:
    (only,) = phases([phase("vagrant up", 100)], 130)
    assert (only.seconds, only.outcome) == (30, "unfinished")


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kind": "phase"},
        {"kind": "phase", "name": "x", "start": "soon"},
        {"kind": "phase", "name": "x", "start": None},
        {"kind": "task", "host": "etcd-01"},
        {"kind": "task", **dict.fromkeys(("host", "role", "task", "path", "status"), 1), "seconds": "long"},
        {"kind": ["list"]},
    ],
)
def test_a_broken_note_costs_no_other(broken: dict[str, Any]) -> None:
    notes = [*NOTES, broken]
    assert phases(notes, 300) == phases(NOTES, 300)
    assert "✓ 1 tests passed" in render(replace(FACTS, notes=notes))


def test_the_slowest_task_comes_first_and_a_failed_one_before_it() -> None:
    said = Page(render(FACTS)).said
    # The last time that they are named: tables come after pictures.
    assert said.rindex("etcd : Slow") < said.rindex("etcd : Quick")
    failing = [phase("converge", 1), task("etcd-01", "Slow", 1, 9), task("etcd-02", "Broken", 9, 0.1, "failed")]
    said = Page(render(replace(FACTS, notes=failing))).said
    assert said.rindex("etcd : Broken") < said.rindex("no such unit") < said.rindex("etcd : Slow")


def test_a_role_is_one_stretch_as_long_as_no_other_comes_between() -> None:
    tasks = [
        Outcome("h", role, "t", "", "ok", 1, start=start) for role, start in [("a", 1), ("a", 3), ("b", 4), ("a", 6)]
    ]
    assert list(role_runs(tasks)) == [("a", 1, 4), ("b", 4, 5), ("a", 6, 7)]


def test_files_with_failures_come_first_and_then_the_slowest() -> None:
    quick = Result("tests/test_c.py::test_quick", "passed", seconds=1)
    slow = Result("tests/test_c.py::test_slow", "passed", seconds=99)
    found = list(files([PASSED, quick, slow, FAILED]))
    assert [each["name"] for each in found] == ["tests/test_b.py", "tests/test_c.py", "tests/test_a.py"]
    assert [each.name for each in found[1]["results"]] == ["test_slow", "test_quick"]


def test_machines_are_shown_with_groups_and_addresses_and_the_red_one_is_marked() -> None:
    said = Page(render(RED)).said
    for node in PLAN.nodes:
        assert f"{node.name} {'✗ ' if node.name == 'kube-worker-01' else ''}{node.address}" in said
    assert "machines 10.0.0.0/24" in said


def test_bars_lie_side_by_side_and_within_the_picture() -> None:
    drawn = chart(
        [("a", [Span(0, 10, "ok", ""), Span(10, 20, "ok", "")]), ("b", [Span(20, 40, "ok", "", "long label")])]
    )
    assert drawn is not None
    first, second = drawn.lanes[0].bars
    (last,) = drawn.lanes[1].bars
    assert first.x == drawn.gutter
    assert second.x == pytest.approx(first.x + first.width)
    assert last.x + last.width == pytest.approx(drawn.width)
    assert chart([("a", [])]) is None


@pytest.mark.parametrize(("x", "anchor"), [((0, 90), "middle"), ((0, 1), "start"), ((99, 100), "end")])
def test_a_label_stands_where_there_is_room(x: tuple[float, float], anchor: str) -> None:
    drawn = chart([("all", [Span(0, 100, "ok", "")]), ("a", [Span(*x, "ok", "", "12.3 s")])])
    assert drawn is not None
    assert drawn.lanes[1].bars[0].anchor == anchor


@pytest.mark.parametrize("length", [0.05, 1, 59, 61, 3000, 100_000])
def test_lines_are_few_and_within_the_picture(length: float) -> None:
    lines = list(round_seconds(length))
    assert lines[0] == 0
    assert lines[-1] <= length
    assert len(lines) <= 9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0 s"), (12.34, "12.3 s"), (59.97, "1 min"), (125, "2 min 05 s"), (3599.7, "1 h"), (3725, "1 h 02 min")],
)
def test_seconds_are_told_for_a_reader(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_grid_has_a_place_for_each_pair_and_leaves_the_others_empty() -> None:
    cells = tuple(Cell(row, column, "●", "good", "") for row, column in [("a", "x"), ("a", "y"), ("b", "y")])
    drawn: GridPicture = grid_picture(Grid("pods", cells))
    places = [(x, y) for x, y, _ in drawn.cells]
    assert len(set(places)) == 3
    assert places[1][0] == places[2][0]
    assert places[0][1] == places[1][1]
    assert not drawn.wrong
    assert grid_picture(Grid("none", ())).cells == ()


def test_a_machine_with_an_image_of_its_own_says_which() -> None:
    plan = topology.parse("own", {"machines": {"web": {"image": "debian:13"}, "db": {}}})
    said = Page(render(replace(FACTS, topology=plan))).said
    assert "1024 MiB, 1 CPU, debian:13" in said
    assert said.count("debian:13") == 1
