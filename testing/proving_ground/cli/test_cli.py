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

from proving_ground.ansible.phases import Phase
from proving_ground.checkpoints.store import Checkpoint
from proving_ground.cli import main as command_line
from proving_ground.cli.commands import COMMANDS
from proving_ground.core.settings import Settings
from proving_ground.lifecycle import machines
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.lifecycle.state import State
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.machines.lock import locked
from proving_ground.plugin.options import OPTIONS
from proving_ground.providers import registry

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with topologies and nothing else."""
    (tmp_path / "topology").symlink_to(ROOT / "topology")
    (tmp_path / "pyproject.toml").write_text("[tool.proving-ground]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["up", "--topology", "moon"], 11, "error: --pg-topology: unknown topology 'moon' — choose one of: default"),
        (["up", "--provider", "moon"], 11, "error: --pg-provider: unknown value 'moon' — choose one of: container"),
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


@pytest.mark.parametrize("command", ["up", "create", "status", "list", "verify", "login", "idempotence"])
def test_a_ledger_that_cannot_be_read_is_never_taken_for_no_machines(
    checkout: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    ledger = checkout / ".proving-ground" / "ledger.json"
    ledger.parent.mkdir()
    ledger.write_text("{", encoding="utf-8")
    assert command_line.main([command]) == 14
    said = capsys.readouterr().err
    assert said.startswith(f"error: {ledger}: the ledger of machines cannot be read, no JSON: ")
    assert "run `proving-ground destroy`" in said
    assert len(said.splitlines()) == 1


def test_what_is_there_is_removed_though_the_ledger_cannot_be_read(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = checkout / ".proving-ground" / "ledger.json"
    ledger.parent.mkdir()
    ledger.write_text("{", encoding="utf-8")
    removed: list[Settings] = []

    def destroy(settings: Settings, *_: object) -> bool:
        removed.append(settings)
        return True

    monkeypatch.setattr(machines, "destroy", destroy)
    assert command_line.main(["destroy"]) == 0
    assert len(removed) == 1


@pytest.mark.parametrize(("command", "code"), [("destroy", 0), ("clean", 0), ("up", 17)])
def test_destroy_waits_for_a_run_that_has_been_told_to_end(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, code: int
) -> None:
    monkeypatch.setattr(machines, "destroy", lambda *_: True)
    monkeypatch.setattr(registry, "every", lambda _: [])
    state = checkout / ".proving-ground"
    holds = f"""
import time
from pathlib import Path
from proving_ground.machines.lock import locked
with locked(Path({str(state)!r})):
    try:
        print("holds", flush=True)
        time.sleep(300)
    except KeyboardInterrupt:
        print("ends", flush=True)
        time.sleep(2)
"""
    with subprocess.Popen([sys.executable, "-c", holds], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "holds\n"
        assert command_line.main([command]) == 17
        assert f"stop it: `kill {run.pid}`" in capsys.readouterr().err
        run.terminate()
        assert run.stdout.readline() == "ends\n"
        assert command_line.main([command]) == code
    said = capsys.readouterr().err
    assert f"process {run.pid} " in said
    assert ("waiting for process" in said) is (code == 0)


def test_machines_of_another_topology_are_not_taken(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="converged"))
    assert command_line.main(["up", "--topology", "single"]) == 11
    assert "machines of topology 'default' on provider 'docker' are up" in capsys.readouterr().err
    assert Ledger(checkout / ".proving-ground").read() is not None


def test_what_a_killed_run_left_is_removed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = Ledger(checkout / ".proving-ground").write(Record("killed", "etcd3", "libvirt"))
    removed: list[tuple[str, str]] = []

    def destroy(settings: Settings, *_: object) -> bool:
        removed.append((settings.topology, settings.provider))
        return True

    monkeypatch.setattr(machines, "destroy", destroy)
    assert command_line.main(["destroy"]) == 0
    assert removed == [(left.topology, left.provider)]


def test_a_shell_is_on_the_machine_that_was_asked_for(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="created"))
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _, arguments: called.append(arguments))
    assert command_line.main(["login", "kube-worker-02"]) == 0
    assert command_line.main(["login"]) == 0
    config = str(checkout / ".proving-ground" / "ssh.config")
    assert called == [["ssh", "-F", config, host] for host in ("kube-worker-02", "etcd-01")]


def test_machines_are_listed_for_programs_with_what_the_topology_leaves_out(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "topology").unlink()
    (checkout / "topology").mkdir()
    (checkout / "topology" / "default.yml").write_text("machines: {web: {count: 2, cpus: 2}}", encoding="utf-8")
    assert command_line.main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "web-01", "address": "10.0.0.11", "memory": 1024, "cpus": 2},
        {"name": "web-02", "address": "10.0.0.12", "memory": 1024, "cpus": 2},
    ]


def test_a_command_means_the_profile_of_the_machines_that_are_up(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "[tool.proving-ground]\nmachines.web = {}\n[tool.proving-ground.profiles.big]\nmachines.db = {count = 2}\n"
    (checkout / "pyproject.toml").write_text(text, encoding="utf-8")
    record = Record("run-1", "default", "docker", phase="created", profile="big")
    for arguments, kept, expected in (
        (["list"], None, "web-01 absent"),
        (["list", "--profile", "big"], None, "db-01 absent db-02 absent"),
        (["list"], record, "db-01 created db-02 created"),
    ):
        if kept is not None:
            Ledger(checkout / ".proving-ground").write(kept)
        assert command_line.main(arguments) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert " ".join(f"{words[0]} {words[2]}" for words in lines) == expected


def test_a_command_means_the_overridden_plan_of_the_machines_that_are_up(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "topology").unlink()
    (checkout / "topology").mkdir()
    for name in ("default", "other"):
        (checkout / "topology" / f"{name}.yml").write_text("machines: {web: {}}", encoding="utf-8")
    record = Record("run-1", "default", "docker", phase="created", overrides="web.count=3")
    three = "web-01 created web-02 created web-03 created"
    for arguments, variable, kept, expected in (
        (["list", "--set", "web.count=2"], "", None, "web-01 absent web-02 absent"),
        (["list"], "web.count=2", None, "web-01 absent web-02 absent"),
        (["list", "--set", "web.count=1"], "web.count=2", None, "web-01 absent"),
        (["list"], "", record, three),
        (["list", "--set", "web.count=3"], "", record, three),
        (["list", "--set", "web.count=1"], "", record, "web-01 absent"),
        (["list", "--topology", "other"], "", record, "web-01 absent"),
    ):
        monkeypatch.setenv("PG_SET", variable)
        if kept is not None:
            Ledger(checkout / ".proving-ground").write(kept)
        assert command_line.main(arguments) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert " ".join(f"{words[0]} {words[2]}" for words in lines) == expected


def test_a_shell_on_a_machine_that_is_none_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Ledger(checkout / ".proving-ground").write(Record("run-1", "default", "docker", phase="created"))
    assert command_line.main(["login", "moon"]) == 11
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
    monkeypatch.setattr(registry, "of", lambda _: provider)
    monkeypatch.setattr(Lifecycle, "phases", (Phase("store", 1),))
    monkeypatch.setattr(State, "key", lambda *_: "fresh")
    assert command_line.main(["checkpoints", *([f"--prune={prune}"] if prune else [])]) == 0
    told = capsys.readouterr().out
    assert [key for key in ("fresh", "old") if key in told] == left
    assert f"{7 * len(left)} MB in all" in told
    assert sorted([*forgotten, *left]) == ["fresh", "old"]


@pytest.mark.usefixtures("checkout")
def test_an_unknown_kind_of_pruning_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["checkpoints", "--prune=some"])
    assert "invalid choice: 'some'" in capsys.readouterr().err


def test_outside_of_a_project_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["up"]) == 11
    assert "no pyproject.toml with a table [tool.proving-ground] here or above" in capsys.readouterr().err


def test_the_project_is_found_from_a_directory_below(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(checkout / "deep" / "down")
    assert command_line.find_project(Path.cwd()) == checkout


def test_commands_that_are_recommended_are_there() -> None:
    words = set()
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if (found := re.match(r"([a-z][a-z -]*):", line)) is not None:
            words |= set(found[1].split())
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
    named = {word for text in texts.values() for word in re.findall(r"`make ([a-z-]+)", text)}
    assert {"up", "verify"} <= named
    assert named - words == set()
    recommended = {
        word for text in (*texts.values(), *sources.values()) for word in re.findall(r"`proving-ground ([a-z-]+)", text)
    }
    assert {"up", "destroy"} <= recommended
    assert recommended - set(COMMANDS) - {"depot", "init", "migrate"} == set()
    assert [path for path, text in sources.items() if re.search(r"[`\"]make ", text)] == [], (
        "not every project has a Makefile"
    )


def run_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_pytest_refuses_an_unknown_topology_before_collecting() -> None:
    result = run_pytest("--pg-topology", "moon")
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


def test_a_plan_is_printed_and_nothing_is_made(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "site.yml").write_text("- {name: First, hosts: etcd, roles: []}", encoding="utf-8")
    monkeypatch.setattr(State, "key", lambda *_: "k")
    assert command_line.main(["plan"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  1. create the machines",
        "  2. converge: run the whole playbook",
    ]
    assert Ledger(checkout / ".proving-ground").read() is None
