"""What `proving-ground profile` prints of a run's timeline, and what it says where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.report.profile import lines, of_run


def run(artifacts: Path, name: str, *notes: dict[str, object]) -> None:
    """Write the timeline of a run."""
    (artifacts / name).mkdir()
    text = "".join(json.dumps(note) + "\n" for note in notes)
    (artifacts / name / "timeline.jsonl").write_text(text, encoding="utf-8")


def phase(name: str, start: float, end: float) -> dict[str, object]:
    return {"kind": "phase", "name": name, "start": start, "end": end, "outcome": "done"}


def task(host: str, role: str, name: str, start: float, seconds: float) -> dict[str, object]:
    known: dict[str, object] = {"kind": "task", "host": host, "role": role, "task": name, "path": "x", "status": "ok"}
    return known | {"start": start, "seconds": seconds}


def converge(artifacts: Path, name: str) -> None:
    """Write a run with a converge of ten seconds: five of work, three of a wait, on two hosts."""
    run(
        artifacts,
        name,
        *(phase("converge", 100, 110), task("web-01", "web", "Install [nginx]", 101, 5)),
        *(task("web-02", "web", "Install [nginx]", 101, 2), task("web-02", "", "Wait for the page", 106.5, 3)),
        phase("converge", 100, 110),
    )


def test_tasks_are_printed_longest_first_with_sums(tmp_path: Path) -> None:
    converge(tmp_path, "20261130T000000-1")
    text = list(lines(of_run(tmp_path), 15))
    assert text[0] == "converge of run 20261130T000000-1: 10.0 s"
    assert "5.0 s of tasks that work, 3.0 s of tasks that wait, 2.0 s of Ansible itself" in text[1]
    tasks = [" ".join(line.split()) for line in text if "Install" in line or "Wait" in line]
    assert tasks == ["5.0 3.0 web-01 web : Install [nginx]", "3.0 3.0 w web-02 Wait for the page"]


def test_the_last_run_with_a_converge_is_taken(tmp_path: Path) -> None:
    converge(tmp_path, "20261130T000000-1")
    converge(tmp_path, "20261130T000001-1")
    run(tmp_path, "20261130T000002-1", phase("preflight", 1, 2))
    assert of_run(tmp_path).run == "20261130T000001-1"
    assert of_run(tmp_path, "20261130T000000-1").run == "20261130T000000-1"


@pytest.mark.parametrize("name", ["converge", "converge nodes"])
def test_the_converge_is_taken_and_not_what_comes_before_or_after_it(tmp_path: Path, name: str) -> None:
    notes = [
        *(phase("prepare", 90, 95), task("web-01", "", "Prepare", 91, 1)),
        *(phase(name, 100, 110), task("web-01", "web", "Install", 101, 5)),
        *(phase("idempotence", 110, 115), task("web-01", "web", "Install", 111, 1)),
    ]
    run(tmp_path, "20261130T000000-1", *notes)
    assert of_run(tmp_path).phase.name == name
    run(tmp_path, "20261130T000001-1", *notes[:2])
    assert of_run(tmp_path).phase.name == "prepare"


def test_no_more_tasks_are_printed_than_asked_for(tmp_path: Path) -> None:
    converge(tmp_path, "20261130T000000-1")
    assert not [line for line in lines(of_run(tmp_path), 1) if "Wait for the page" in line]


@pytest.mark.parametrize("name", [None, "20261130T000000-1"])
def test_a_run_without_a_converge_is_an_error_that_says_where(tmp_path: Path, name: str | None) -> None:
    run(tmp_path, "20261130T000000-1", phase("preflight", 1, 2))
    with pytest.raises(UsageError, match=r"no converge|has a converge"):
        of_run(tmp_path, name)
