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
README = "pip install 'pytest-proving-ground[testinfra]'"
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


MATRIX = """
[tool.proving-ground]
images = ["debian:12", "second:1"]
init = "none"

[tool.proving-ground.machines.web]
memory = 256
cpus = 1
volumes = ["./data:/data:ro", "cache:/var/cache/own"]
tmpfs = ["/scratch:size=1m"]
ports = ["127.0.0.1::80"]
capabilities = ["NET_ADMIN"]
environment = {COLOUR = "blue"}
"""
OWN = """
- hosts: all
  gather_facts: false
  tasks:
    - {ansible.builtin.copy: {content: first, dest: /etc/own}}
"""
ASKS = """
NET_ADMIN, LIMITS = 1 << 12, ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def test_it_has_what_its_kind_says(host):
    assert host.file("/etc/own").content_string == "first"
    assert host.file("/data/file").content_string == "hello"
    assert host.run("touch /data/new").rc != 0
    assert host.run("touch /var/cache/own/new").rc == 0
    assert host.mount_point("/scratch").filesystem == "tmpfs"
    assert int(host.check_output("awk '/CapEff/ {print $2}' /proc/1/status"), 16) & NET_ADMIN
    assert host.environment()["COLOUR"] == "blue"
    limit = next(path for path in LIMITS if host.file(path).exists)
    assert int(host.file(limit).content_string) == 256 * 2**20
    assert host.check_output("getent hosts debian-12") != host.check_output("getent hosts second-1")
"""


@pytest.fixture
def second_image(podman: None, debian: str) -> Iterator[None]:  # noqa: ARG001 - comes first
    """Another image of Podman's, which is the same under another name."""
    PODMAN.run("tag", debian, "localhost/second:1")
    yield
    PODMAN.run("untag", debian, "localhost/second:1")


@pytest.mark.usefixtures("second_image")
def test_podman_has_images_options_and_checkpoints(tmp_path: Path) -> None:
    """A machine of each of two images, with all that a kind may say, made anew from a checkpoint."""
    project = tmp_path / "project"
    files = {"README.md": README, "pyproject.toml": MATRIX, "site.yml": OWN, "test_own.py": ASKS, "data/file": "hello"}
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    options = ("--pg-provider=podman", "--pg-checkpoints")
    try:
        passes(project, "pytest", *options, "--pg-keep=always", "-k", "converge or own")
        assert [name for name in cases_of(project) if name] == [
            "test_converge",
            "test_it_has_what_its_kind_says[debian-12]",
            "test_it_has_what_its_kind_says[second-1]",
        ]
        containers = PODMAN.containers_of(Settings(project, "look").checkout_id)
        assert [PODMAN.run("port", each).startswith("80/tcp -> 127.0.0.1:") for each in containers] == [True, True]
        passes(project, "proving_ground.cli", "destroy")
        assert "from checkpoint converged of" in passes(project, "pytest", *options, "-k", "own", "--pg-keep=never")
    finally:
        passes(project, "proving_ground.cli", "destroy", "--provider=podman")
        passes(project, "proving_ground.cli", "checkpoints", "--prune=all", "--provider=podman")
    assert_nothing_is_left(project, "podman")
    assert PODMAN.run("image", "ls", "--quiet", "proving-ground/checkpoint") == ""


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
