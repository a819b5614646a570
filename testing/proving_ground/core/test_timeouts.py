"""Waiting goes by the machines' speed and by what was asked for on a slow host; roles are told the machines' alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import EMULATED
from proving_ground.lifecycle import machines, preflight
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.lifecycle.state import State
from proving_ground.machines.ledger import Record
from proving_ground.providers import registry
from proving_ground.providers import vagrant as vagrant_provider
from proving_ground.providers.vagrant import VagrantProvider

ROOT = Path(__file__).parents[3]


def lifecycle(tmp_path: Path, factor: float, monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    """A project, where this factor for time-outs was asked for."""
    for name in ("topology", "roles"):
        shutil.copytree(ROOT / name, tmp_path / name, dirs_exist_ok=True)
    shutil.copy(ROOT / "kubernetes.yml", tmp_path)
    life = Lifecycle(
        Settings(tmp_path, "run", timeout_factor=factor, project=Project(playbook="kubernetes.yml")), Progress()
    )
    monkeypatch.setattr(State, "view", SimpleNamespace(path=tmp_path, key="k", images={}))
    return life


@pytest.mark.parametrize(("of_machines", "asked", "factor"), [(1, 1, 1), (1, 6, 6), (EMULATED, 1, 12), (12, 20, 20)])
def test_waiting_goes_by_the_slower_of_machines_and_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_machines: float, asked: float, factor: float
) -> None:
    life = lifecycle(tmp_path, asked, monkeypatch)
    assert life.state.timeouts.seconds(10) == 10 * asked, "before there are machines"
    life.ledger.write(Record("run", "default", "docker", phase="created", timeout_factor=of_machines))
    monkeypatch.setattr(preflight, "check_reachable", lambda *_: None)
    life.create()
    assert life.state.timeouts.seconds(10) == 10 * factor


def test_machines_keep_the_factor_that_they_were_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in what roles write: a longer wait in a later run would be a change that nobody has made."""
    life = lifecycle(tmp_path, 6, monkeypatch)
    life.ledger.write(Record("run", "default", "docker", timeout_factor=2.0))
    content = yaml.safe_load(life.write_inventory().read_text(encoding="utf-8"))
    assert content["all"]["vars"]["timeout_factor"] == 2.0


def test_new_machines_are_given_the_time_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = lifecycle(tmp_path, 6, monkeypatch)
    monkeypatch.setattr(registry, "of", VagrantProvider)
    monkeypatch.setattr(vagrant_provider, "make_key_pair", lambda _: tmp_path / "key")
    monkeypatch.setattr(vagrant_provider, "write_ssh_config", lambda *_: None)
    monkeypatch.setattr(vagrant_provider, "await_logins", lambda *_: None)
    vagrant = SimpleNamespace(log=tmp_path / "log", write_run=lambda _: None, up=lambda: None)
    monkeypatch.setattr(vagrant_provider, "Vagrant", lambda *_: vagrant)
    assert machines.create(life.settings, life.topology, None, life.view, Progress()).timeout_factor == 6.0


def test_a_checkpoint_is_of_the_factor_that_it_was_saved_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    for factor in (1.0, 6.0):
        life = lifecycle(tmp_path, factor, monkeypatch)
        keys.add(life.state.key(life.phases[-1]))
    assert len(keys) == 2


def test_a_checkpoint_is_of_the_values_that_the_command_line_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set()
    for overrides in ("", "kube-worker.count=5", "kube-worker.memory=2048", "kube-worker.cpus=1"):
        life = lifecycle(tmp_path, 1.0, monkeypatch)
        life = Lifecycle(replace(life.settings, overrides=overrides), Progress())
        keys.add(life.state.key(life.phases[-1]))
    assert len(keys) == 4
