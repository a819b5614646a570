"""The host is looked at before anything is made; what is missing or in the way is one clear line."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pytest

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.polling import WaitTimeoutError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import USUAL
from proving_ground.core.topology import load
from proving_ground.host import routes
from proving_ground.lifecycle import preflight
from proving_ground.process import services
from proving_ground.process.processes import record
from proving_ground.providers import engine, libvirt_daemon
from proving_ground.providers.docker_engine import DOCKER
from proving_ground.providers.podman_engine import PODMAN

ROOT = Path(__file__).parents[3]
SETTINGS = Settings(ROOT, "run-1")
TOPOLOGY = load(ROOT / "topology", "default")


@pytest.mark.parametrize("program", ["vagrant", "ssh", "ssh-keygen"])
def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else f"/bin/{name}")
    with pytest.raises(PreflightError, match=f"^{program} is not installed — install it"):
        preflight.check(SETTINGS, Progress(), Path("log"))


def test_missing_docker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "docker" else f"/bin/{name}")
    with pytest.raises(PreflightError, match=r"docker is not installed — install it; .*: apt-get install docker\.io"):
        DOCKER.ensure_running(Progress())


def refuse(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", words)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")


def test_docker_that_this_user_may_not_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "permission denied while trying to connect to the Docker daemon socket")
    with pytest.raises(PreflightError, match="may not be used by this user — add the user to the group docker"):
        DOCKER.ensure_running(Progress())


def test_docker_elsewhere_that_does_not_answer_is_named_and_none_is_started_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse(monkeypatch, "error during connect: dial tcp 192.0.2.7:2376: connect: connection refused")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2376")
    monkeypatch.setattr(services, "start", lambda *_, **__: pytest.fail("an engine is started here"))
    with pytest.raises(PreflightError, match=r"engine at tcp://192\.0\.2\.7:2376 does not answer: error .*DOCKER_HOST"):
        DOCKER.ensure_running(Progress())


def test_missing_podman_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(PreflightError, match=r"podman is not installed — install it; .*: apt-get install podman"):
        PODMAN.ensure_running(Progress())


def test_podman_that_does_not_work_tells_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "level=warning msg=old\nError: mkdir /run/libpod: read-only file system\n")
    with pytest.raises(PreflightError, match="Podman does not work here: Error: mkdir /run/libpod: read-only"):
        PODMAN.ensure_running(Progress())


def test_docker_that_only_root_can_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "Cannot connect to the Docker daemon")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PreflightError, match="the Docker engine is not running — "):
        DOCKER.ensure_running(Progress())


def test_docker_that_ends_at_once_is_told_with_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refuse(monkeypatch, "Cannot connect to the Docker daemon")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: SimpleNamespace(poll=lambda: 1, pid=os.getpid()))
    monkeypatch.setattr(services, "managed_by_systemd", lambda: False)
    with pytest.raises(PreflightError, match=r"dockerd ended at once.*log: .*dockerd\.log"):
        DOCKER.ensure_running(Progress())


def test_docker_that_is_ending_is_waited_for_and_one_that_hangs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def hangs(pids: Mapping[str, psutil.Process], *_: object) -> None:
        raise WaitTimeoutError(f"{pids} is still there")

    command = [sys.executable, "-c", "input('is up\\n')"]
    daemon = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    daemon.stdout.readline()
    refuse(monkeypatch, "Cannot connect to the Docker daemon")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(services, "managed_by_systemd", lambda: False)
    monkeypatch.setattr(services, "await_end", hangs)
    record(tmp_path / "proving-ground" / "dockerd.json", daemon.pid)
    try:
        with pytest.raises(
            PreflightError, match=rf"does not answer: .*still there — end it with `kill -9 {daemon.pid}`"
        ):
            DOCKER.ensure_running(Progress())
    finally:
        daemon.communicate()


def test_a_daemon_that_has_ended_is_gone_though_nobody_has_asked_for_it() -> None:
    daemon = subprocess.Popen([sys.executable, "-c", ""])
    services.await_end({"dockerd": psutil.Process(daemon.pid)})
    assert Path(f"/proc/{daemon.pid}").exists()
    daemon.wait()


@pytest.mark.parametrize(
    ("service", "module", "program"),
    [(DOCKER, engine, "docker"), (PODMAN, engine, "podman"), (libvirt_daemon, libvirt_daemon, "virsh")],
)
def test_an_engine_that_is_frozen_is_one_line_and_no_engine_without_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: Any, module: ModuleType, program: str
) -> None:
    client = tmp_path / program
    client.write_text("#!/bin/sh\nexec sleep 300\n", encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(module, "CLIENT_SECONDS", 0.3)
    monkeypatch.setattr(module, "PROGRAMS", ("virsh",), raising=False)
    with pytest.raises(PreflightError, match=r"neither answers nor refuses within 0 s — look whether it is frozen"):
        service.ensure_running(Progress())


def test_too_little_disk_says_how_much_there_is_and_should_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    with pytest.raises(PreflightError, match=r"1\.0 GiB of disk are free, 4 GiB are needed"):
        preflight.check_disk()


def test_the_hosts_own_routes_can_be_read() -> None:
    assert all(isinstance(network, IPv4Network) for _, network in routes.routes())


def test_machines_that_do_not_answer_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(address: tuple[str, int], **_: object) -> None:
        raise ConnectionRefusedError(f"refused by {address[0]}")

    monkeypatch.setattr(socket, "create_connection", refused)
    settings = Settings(ROOT, "run-1", provider="virtualbox")  # which nothing is started for
    with pytest.raises(MachineError) as caught:
        preflight.check_reachable(settings, TOPOLOGY, Progress(), USUAL, timeout=0)
    for node in TOPOLOGY.nodes:
        assert f"{node.name} ({node.address}) answers on port 22" in str(caught.value)
