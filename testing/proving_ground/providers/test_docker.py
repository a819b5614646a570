"""Container machines: all that is made for them says whose it is, and which run made it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import load
from proving_ground.depot import View
from proving_ground.providers import docker_engine
from proving_ground.providers.docker import Docker
from proving_ground.providers.docker_engine import DockerEngine

ROOT = Path(__file__).parents[3]
LOG = Path("vagrant.log")


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, ...]]:
    """Labels of the networks that are made, by the network's name; there is no engine."""
    made: dict[str, tuple[str, ...]] = {}
    monkeypatch.setattr(docker_engine, "ensure_image", lambda *_: "node:1")

    def ensure_network(_: object, name: str, __: str, labels: Iterable[str], ___: Path) -> None:
        made[name] = tuple(labels)

    monkeypatch.setattr(DockerEngine, "ensure_network", ensure_network)
    return made


def test_containers_networks_and_volumes_say_whose_they_are_and_of_which_run(
    tmp_path: Path, networks: dict[str, tuple[str, ...]]
) -> None:
    settings = Settings(tmp_path, "run-1")
    owner, run = f"proving-ground.checkout={settings.checkout_id}", "proving-ground.run=run-1"
    view = cast("View", SimpleNamespace(path=tmp_path / "views" / "key", node_rootfs=tmp_path, node_key="1"))
    topology = load(ROOT / "topology", "default")
    told = Docker(settings).prepare(topology, view, tmp_path / "ssh" / "id_ed25519", Progress(), LOG)
    assert list(networks.values()) == [(owner, run)]
    words = told["create_arguments"]
    assert {words[at + 1] for at, word in enumerate(words) if word == "--label"} == {owner, run}
    assert set(told["mounts"]) == {node.name for node in topology.nodes}
    for mount in told["mounts"].values():
        assert {f"volume-label={owner}", f"volume-label={run}"} <= set(mount.split(","))
    assert not any(word in {"--publish", "-p", "--publish-all", "-P"} for word in words), "ports of the host collide"
