"""The same role on other engines: Podman, and a Docker engine elsewhere, to whose machines there is no route."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.running import assert_nothing_is_left, cases_of, passes
from examples.second_engine import SecondEngine
from proving_ground.core.settings import Settings
from proving_ground.providers import registry
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
    engine = SecondEngine(tmp_path)
    try:
        engine.start()
        engine.load(debian)
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        yield engine.address
    finally:
        engine.close()


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
