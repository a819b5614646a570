"""The timeline: what is noted is on disk at once, without secrets, and never in the way of the run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return Timeline.of(Settings(tmp_path, "run"))


def progress(timeline: Timeline) -> Progress:
    return Progress(io.StringIO(), timeline=timeline)


def test_notes_come_back_in_their_order(timeline: Timeline) -> None:
    assert timeline.read() == []
    timeline.note("phase", name="depot", start=1.5)
    Timeline(timeline.path).note("task", host="etcd-01")
    assert timeline.read() == [
        {"kind": "phase", "name": "depot", "start": 1.5},
        {"kind": "task", "host": "etcd-01"},
    ]


def test_a_line_that_was_cut_off_takes_no_other_with_it(timeline: Timeline) -> None:
    timeline.note("first")
    with timeline.path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "sec\n[1]\n')
    timeline.note("third")
    assert [note["kind"] for note in timeline.read()] == ["first", "third"]


def test_secrets_are_taken_out_wherever_they_stand(timeline: Timeline) -> None:
    timeline.note("task", message="password=correct-horse", rows=[{"found": "token: correct-horse"}])
    text = timeline.path.read_text(encoding="utf-8")
    assert "correct-horse" not in text
    assert text.count("[removed]") == 2


def test_a_disk_that_takes_no_note_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = Timeline(tmp_path / "file" / "timeline.jsonl")
    blocked.note("phase")
    assert blocked.read() == []


def test_a_step_is_noted_when_it_begins_and_when_it_ends(timeline: Timeline) -> None:
    with progress(timeline).step("depot"):
        (begun,) = timeline.read()
    _, ended = timeline.read()
    assert begun["name"] == ended["name"] == "depot"
    assert begun["start"] == ended["start"] <= ended["end"]
    assert "end" not in begun
    assert ended["outcome"] == "done"


def test_a_step_that_fails_is_noted_as_failed(timeline: Timeline) -> None:
    with pytest.raises(RuntimeError), progress(timeline).step("vagrant up"):
        raise RuntimeError
    assert timeline.read()[-1]["outcome"] == "failed"


def test_without_a_timeline_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Progress(io.StringIO()).step("depot"):
        pass
    assert list(tmp_path.iterdir()) == []
