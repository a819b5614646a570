"""What a user sees of bad input: one clear line, an exit code of its own, nothing made."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

import fixtures.__main__ as command_line
from fixtures import machines, providers
from fixtures.checkpoints import Checkpoint
from fixtures.ledger import Ledger, Record, locked
from fixtures.lifecycle import Lifecycle
from fixtures.phases import Phase
from fixtures.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with topologies and nothing else."""
    (tmp_path / "topology").symlink_to(ROOT / "topology")
    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    for name in ("TOPOLOGY", "PROVIDER", "NETWORK_PREFIX", "HOST", "PRUNE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["up", "--topology", "moon"], 11, "error: --topology: unknown topology 'moon' — choose one of: default"),
        (["up", "--provider", "moon"], 11, "error: --provider: unknown provider 'moon' — choose one of: docker"),
        (["up", "--network-prefix", "10.2.9"], 11, "networks machines (10.2.9.0/24) and pods (10.2.0.0/16) overlap"),
        (["status"], 11, "no machines of this checkout are up"),
        (["idempotence"], 11, "no machines of this checkout are up"),
    ],
)
def test_bad_input_is_one_line_with_a_code(
    checkout: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, line: str
) -> None:
    assert command_line.main(arguments) == code
    error = capsys.readouterr().err
    assert line in error
    assert "Traceback" not in error
    assert not (checkout / ".vagrant").exists()


def test_a_checkout_in_use_is_left_alone(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(checkout / ".proving-ground"):
        assert command_line.main(["up"]) == 17
    assert f"in use by process {os.getpid()}" in capsys.readouterr().err


def test_machines_of_another_topology_are_not_taken(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="converged"))
    assert command_line.main(["up", "--topology", "single"]) == 11
    assert "machines of topology 'default' on provider 'docker' are up" in capsys.readouterr().err
    assert Ledger(checkout / ".proving-ground").read() is not None


@pytest.mark.parametrize("word", ["destroy", "reap"])
def test_what_a_killed_run_left_is_removed(checkout: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    left = Ledger(checkout / ".proving-ground").write(Record("killed", "etcd3", "libvirt"))
    removed: list[tuple[str, str]] = []

    def destroy(settings: Settings, *_: object) -> bool:
        removed.append((settings.topology, settings.provider))
        return True

    monkeypatch.setattr(machines, "destroy", destroy)
    assert command_line.main([word]) == 0
    assert removed == [(left.topology, left.provider)]


def test_a_shell_is_on_the_machine_that_was_asked_for(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="created"))
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _, arguments: called.append(arguments))
    monkeypatch.setenv("HOST", "kube-worker-02")
    assert command_line.main(["shell"]) == 0
    monkeypatch.delenv("HOST")
    assert command_line.main(["shell"]) == 0
    config = str(checkout / ".proving-ground" / "ssh.config")
    assert called == [["ssh", "-F", config, host] for host in ("kube-worker-02", "etcd-01")]


def test_a_shell_on_a_machine_that_is_none_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="created"))
    monkeypatch.setenv("HOST", "moon")
    assert command_line.main(["shell"]) == 11
    assert "moon" in capsys.readouterr().err


@pytest.mark.parametrize(("prune", "left"), [("", ["fresh", "old"]), ("stale", ["fresh"]), ("all", [])])
def test_checkpoints_are_listed_and_pruned(
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    prune: str,
    left: list[str],
) -> None:
    for key in ("fresh", "old"):
        saved = Checkpoint(key, "store", "default", "docker", "2026-01-01T00:00", 7_000_000, complete=True)
        directory = checkout / ".proving-ground" / "checkpoints" / key
        directory.mkdir(parents=True)
        (directory / "checkpoint.json").write_text(json.dumps(asdict(saved)), encoding="utf-8")
    forgotten: list[str] = []
    provider = SimpleNamespace(forget=lambda key, _: forgotten.append(key), ensure_running=lambda _: None)
    monkeypatch.setattr(providers, "of", lambda _: provider)
    monkeypatch.setattr(Lifecycle, "phases", (Phase("store", 1),))
    monkeypatch.setattr(Lifecycle, "key", lambda *_: "fresh")
    monkeypatch.setenv("PRUNE", prune)
    assert command_line.main(["checkpoints"]) == 0
    told = capsys.readouterr().out
    assert [key for key in ("fresh", "old") if key in told] == left
    assert f"{7 * len(left)} MB in all" in told
    assert sorted([*forgotten, *left]) == ["fresh", "old"]


def test_an_unknown_kind_of_pruning_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkout.exists()
    monkeypatch.setenv("PRUNE", "some")
    assert command_line.main(["checkpoints"]) == 11
    assert "PRUNE: unknown value 'some'" in capsys.readouterr().err


def test_commands_that_are_recommended_are_there() -> None:
    words = set()
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if (found := re.match(r"([a-z][a-z -]*):", line)) is not None:
            words |= set(found[1].split())
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "fixtures").rglob("*.py")]
    named = {word for path in texts for word in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))}
    assert {"setup", "up", "destroy"} <= named
    assert named - words == set()
    assert set(command_line.WORDS) - {"status"} <= words


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_pytest_refuses_an_unknown_topology_before_collecting() -> None:
    result = run_pytest("--topology", "moon")
    assert result.returncode == 11
    assert "unknown topology 'moon'" in result.stdout + result.stderr
    assert "collected" not in result.stdout


def test_collecting_makes_nothing_and_runs_nothing(tmp_path: Path) -> None:
    traced = tmp_path / "bin"
    traced.mkdir()
    for program in ("docker", "vagrant", "ssh", "ansible-playbook", "go", "mmdebstrap"):
        (traced / program).write_text(f"#!/bin/sh\necho {program} >> {tmp_path}/called\n", encoding="utf-8")
        (traced / program).chmod(0o755)
    environment = os.environ | {"PATH": f"{traced}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    before = set(ROOT.iterdir())
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "tests/configure"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stdout
    assert not (tmp_path / "called").exists()
    assert not (tmp_path / "cache").exists()
    assert set(ROOT.iterdir()) == before
