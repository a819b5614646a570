"""Vagrant's command line as the harness calls it: with what it needs, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.machines.vagrant import Vagrant

PROGRAM = """#!/bin/sh
env >environment
echo "$*" >>calls
echo '==> etcd-01: no space left on device' >&2
exit ${FAILS:-0}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put_on_path: Callable[[str, str], None]) -> Path:
    """A checkout with a Vagrant that writes down how it was called."""
    put_on_path("vagrant", PROGRAM)
    monkeypatch.delenv("VAGRANT_NO_PLUGINS", raising=False)
    return tmp_path


@pytest.mark.parametrize(("provider", "without"), [("docker", True), ("virtualbox", True), ("libvirt", False)])
def test_plugins_are_loaded_only_for_a_provider_that_is_one(project: Path, provider: str, *, without: bool) -> None:
    """They are a third of the time that Vagrant takes to begin."""
    Vagrant(Settings(project, "run", provider=provider), Progress()).destroy()
    environment = (project / "environment").read_text(encoding="utf-8").splitlines()
    assert ("VAGRANT_NO_PLUGINS=1" in environment) is without
    assert "VAGRANT_CHECKPOINT_DISABLE=1" in environment


def test_a_failure_says_what_vagrant_said_last(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(
        MachineError, match=r"vagrant destroy: .*no space left on device — run `proving-ground destroy`"
    ):
        Vagrant(Settings(project, "run"), Progress()).destroy()


def test_what_the_vagrantfile_is_told_lies_in_the_state_directory(project: Path) -> None:
    Vagrant(Settings(project, "run"), Progress()).write_run({"topology": "single"})
    content = (project / ".proving-ground" / "vagrant.json").read_text(encoding="utf-8")
    assert json.loads(content) == {"topology": "single"}
