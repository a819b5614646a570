"""The same role on other engines: Podman, and a Docker engine elsewhere, to whose machines there is no route."""

from __future__ import annotations

import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.running import assert_nothing_is_left, cases_of, passes
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.settings import Settings
from proving_ground.providers import registry
from proving_ground.providers.container_image import PREPARED
from proving_ground.providers.docker_engine import DOCKER
from proving_ground.providers.podman_engine import PODMAN

CASES: dict[str | None, list[str]] = {
    "test_syntax": [],
    "test_converge": [],
    "test_idempotence[machine-01-role]": [],
    "test_idempotence_outside_roles": [],
    "test_the_service_serves_the_motto[machine-01]": [],
}
PODMANS_FILES = 1048576
"""The number of open files that Podman lets a container of root have, whether this root may set it or not."""


def containers_conf() -> str:
    """What Podman's user would have to set on this host; empty on most."""
    lines = []
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files < PODMANS_FILES:
        lines += ["[containers]", f'default_ulimits = ["nofile={files}:{files}", "nproc=32768:32768"]']
    if Path("/sys/fs/cgroup/unified").is_dir():  # crun refuses a host with both versions of control groups
        lines += ["[engine]", 'runtime = "runc"']
    return "\n".join(lines)


@pytest.fixture
def podman(debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Podman, which has the image."""
    config = tmp_path / "containers.conf"
    config.write_text(containers_conf(), encoding="utf-8")
    monkeypatch.setenv("CONTAINERS_CONF", str(config))
    if not PODMAN.run("image", "ls", "--quiet", debian):
        PODMAN.run("pull", "--quiet", f"docker-daemon:{debian}", timeout=300)


@pytest.mark.usefixtures("podman")
@pytest.mark.parametrize("project", ["role"], indirect=True)
def test_podman_makes_the_same_machine_and_removes_it(project: Path) -> None:
    output = passes(project, "pytest", "--pg-provider=podman", "--pg-keep=always")
    assert cases_of(project) == CASES
    assert "podman exec -it proving-ground-" in output, "it says how to look at the machine"
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left(project, "podman")


@pytest.fixture
def elsewhere(debian: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A second engine with the image, in a network of its own; returns its address."""
    address = f"unix://{tmp_path}/docker.sock"
    places = [f"--data-root={tmp_path}/data", f"--exec-root={tmp_path}/exec", f"--pidfile={tmp_path}/pid"]
    dockerd = ["sh", "-c", 'ip link set lo up; exec dockerd "$@"', "dockerd", *places, f"--host={address}"]
    with (tmp_path / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(["unshare", "--net", *dockerd], stdout=log, stderr=log, start_new_session=True)

    def answers() -> None:
        assert engine.poll() is None, (tmp_path / "dockerd.log").read_text(encoding="utf-8")[-2000:]
        if subprocess.run(["docker", "--host", address, "version"], capture_output=True, check=False).returncode:
            raise NotReady("no answer")

    try:
        wait_until("the second engine answers", answers, timeout=60, interval=0.2)
        # With what the harness has put on top of it: the second engine has no route to a package index.
        images = [debian, *DOCKER.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", PREPARED).split()]
        copy = f"docker save {' '.join(images)} | docker --host {address} load"
        subprocess.run(["sh", "-c", copy], check=True, capture_output=True, timeout=300)
        monkeypatch.setenv("DOCKER_HOST", address)
        yield address
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(60)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("project", ["role"], indirect=True)
def test_an_engine_elsewhere_has_the_machines_and_needs_no_route_to_them(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes(project, "pytest", "--pg-keep=always")
    assert cases_of(project) == CASES
    assert "machine-01" in DOCKER.run("ps", "--format", "{{.Names}}"), "it is there"
    with monkeypatch.context() as here:
        here.delenv("DOCKER_HOST")
        assert not registry.of(Settings(project, "here", provider="container")).has_leftovers()
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left(project, "container")
