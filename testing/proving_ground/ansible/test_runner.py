"""The playbook's run: outcomes from events, a cut playbook that is gone afterwards, errors told by their cause."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proving_ground.ansible.runner import Converge, check_syntax, run_playbook
from proving_ground.core.errors import ConvergeError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeline import Timeline
from proving_ground.core.timeouts import USUAL
from proving_ground.process.reaper import MARK

PLAYBOOK = "- {name: First, hosts: all, roles: [store]}\n- {name: Second, hosts: all, roles: [network]}\n"


class Runner:
    """Stands in for ansible-runner: tells events, prints, and ends as it was told."""

    def __init__(self) -> None:
        self.status = "successful"
        self.events: list[dict[str, Any]] = []
        self.asked: dict[str, Any] = {}
        self.playbook = ""

    def run(self, **asked: Any) -> Any:
        self.asked, self.playbook = asked, Path(asked["playbook"]).read_text(encoding="utf-8")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ansible-runner does
        for event in self.events:
            assert asked["event_handler"](event) is False
        directory = Path(asked["private_data_dir"]) / "artifacts"
        directory.mkdir()
        (directory / "stdout").write_text("PLAY [First]\n", encoding="utf-8")
        return SimpleNamespace(status=self.status, config=SimpleNamespace(artifact_dir=str(directory)))


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    one = Runner()
    monkeypatch.setitem(sys.modules, "ansible_runner", one)
    return one


def event(name: str, root: Path, **result: Any) -> dict[str, Any]:
    data = {"host": "etcd-01", "role": "store", "task": "Start", "play": "First", "res": result}
    return {"event": name, "event_data": data | {"task_path": f"{root}/roles/store/tasks/main.yml:7", "duration": 0.5}}


def converge(root: Path, *arguments: str, plays: tuple[int, int] | None = None) -> Converge:
    (root / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    progress = Progress(write=lambda _: None, timeline=Timeline(root / "timeline.jsonl"))
    return run_playbook(Settings(root, "run"), root / "inventory.yml", progress, *arguments, plays=plays)


def test_outcomes_come_in_their_order_and_the_log_is_kept(tmp_path: Path, runner: Runner) -> None:
    runner.events = [
        event("playbook_on_task_start", tmp_path),
        event("runner_on_ok", tmp_path, changed=True),
        event("runner_on_skipped", tmp_path),
        event("playbook_on_stats", tmp_path),
    ]
    before = signal.getsignal(signal.SIGINT)
    done = converge(tmp_path, "--diff")
    assert [outcome.status for outcome in done.outcomes] == ["changed", "skipped"]
    assert [str(outcome) for outcome in done.changed] == ["etcd-01: store : Start"]
    assert done.log.read_text(encoding="utf-8") == "PLAY [First]\n"
    assert runner.asked["cmdline"] == "--skip-tags=molecule-notest,notest --diff", "as Molecule does"
    assert runner.asked["envvars"][MARK] == str(tmp_path), "what it leaves running can be found"
    assert signal.getsignal(signal.SIGINT) is before
    assert not list((tmp_path / "logs").glob("ansible-runner*"))
    notes = Timeline(tmp_path / "timeline.jsonl").read()
    assert [note["status"] for note in notes if note["kind"] == "task"] == ["changed", "skipped"]


def test_some_plays_are_run_alone_and_nothing_of_that_is_left(tmp_path: Path, runner: Runner) -> None:
    converge(tmp_path, plays=(1, 2))
    assert runner.playbook.strip().startswith("- {name: Second")
    assert runner.playbook.splitlines()[0] == "", "lines have the numbers that they have in the whole"
    assert [path.name for path in tmp_path.glob("*.yml")] == ["site.yml"]
    assert not list(tmp_path.glob(".site.yml"))


def test_a_failed_task_is_an_error_by_host_role_and_task(tmp_path: Path, runner: Runner) -> None:
    runner.events, runner.status = [event("runner_on_failed", tmp_path, msg="unit not found")], "failed"
    with pytest.raises(ConvergeError, match="etcd-01: store : Start: failed: unit not found") as failed:
        converge(tmp_path)
    assert (failed.value.play, failed.value.role, failed.value.host) == ("First", "store", "etcd-01")


def test_a_task_that_its_block_rescues_is_no_failure(tmp_path: Path, runner: Runner) -> None:
    rescued, stats = event("runner_on_failed", tmp_path, msg="no such unit"), event("playbook_on_stats", tmp_path)
    stats["event_data"]["rescued"] = {"etcd-01": 1}
    runner.events = [rescued, event("runner_on_ok", tmp_path), stats]
    assert [outcome.status for outcome in converge(tmp_path).outcomes] == ["rescued", "ok"]
    notes = Timeline(tmp_path / "timeline.jsonl").read()
    assert [note["hosts"] for note in notes if note["kind"] == "rescued"] == [{"etcd-01": 1}], "for the report"
    fatal = event("runner_on_failed", tmp_path, msg="disk full")
    runner.events, runner.status = [rescued, fatal, stats], "failed"
    with pytest.raises(ConvergeError, match="disk full"):
        converge(tmp_path)


def test_a_run_that_was_interrupted_is_an_interruption(tmp_path: Path, runner: Runner) -> None:
    runner.status = "canceled"
    with pytest.raises(KeyboardInterrupt):
        converge(tmp_path)


def test_a_run_without_an_end_is_told_so(tmp_path: Path, runner: Runner) -> None:
    runner.status = "timeout"
    with pytest.raises(ConvergeError, match="did not end within its deadline"):
        converge(tmp_path)


@pytest.mark.parametrize(("code", "words"), [(0, ""), (4, "the role 'store' was not found [site.yml:1:1]")])
def test_what_ansible_cannot_parse_is_told_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    said = "" if code == 0 else "[ERROR]: the role 'store' was not found\\nOrigin: site.yml:1:1"
    program = tmp_path / "bin" / "ansible-playbook"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "{said}"\nexit {code}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.parent / "python"))
    if code == 0:
        check_syntax(Settings(tmp_path, "run"), tmp_path / "inventory.yml", USUAL)
    else:
        with pytest.raises(ConvergeError) as failed:
            check_syntax(Settings(tmp_path, "run"), tmp_path / "inventory.yml", USUAL)
        assert failed.value.what == words
    assert (tmp_path / "artifacts" / "run" / "syntax.log").exists()
