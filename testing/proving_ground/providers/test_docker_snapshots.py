"""Containers are saved as they are at one moment: all stand still meanwhile, and run on whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.providers import docker_snapshots
from proving_ground.providers.docker_engine import DockerEngine
from proving_ground.providers.docker_snapshots import saved

MACHINES = [saved("checkout", "key", name) for name in ("etcd-01", "kube-worker-01")]
LOG = Path("docker.log")


class Engine:
    """Notes what is asked of it, and which containers stand still at that time."""

    everybody = frozenset(each.machine for each in MACHINES)

    def __init__(self) -> None:
        self.asked: list[tuple[str, frozenset[str]]] = []
        self.paused: frozenset[str] = frozenset()
        self.fails = ""
        self.busy = 0

    def docker(self, *words: str, **_: object) -> str:
        name = " ".join(words[:2]) if words[0] in {"volume", "image"} else words[0]
        self.asked.append((name, self.paused))
        if name == self.fails:
            raise MachineError("no space left on device")
        if name == "pause":
            assert not self.paused & set(words[1:]), "the engine refuses to pause what is paused"
            if self.busy:
                self.busy -= 1
                self.paused |= set(words[2:])
                raise MachineError(
                    "docker: Cannot pause container: OCI runtime pause failed: unable to freeze: unknown"
                )
            self.paused |= set(words[1:])
        if name == "unpause":
            self.paused -= set(words[1:])
        answers = {
            "inspect": "".join(f"{number}\n" for number, _ in enumerate(MACHINES, 100)),
            "volume inspect": "/var/lib/docker/volumes/one/_data\n",
            "run": "1000\n2000\n",
            "image inspect": "50\n80\n90\n",
            "ps": "\n".join(self.paused if "--filter=status=paused" in words else self.everybody - self.paused),
        }
        return answers.get(name, "")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    one = Engine()
    monkeypatch.setattr(DockerEngine, "run", staticmethod(one.docker))
    return one


def test_layers_and_volumes_are_saved_while_all_machines_stand_still(engine: Engine) -> None:
    size = docker_snapshots.save(MACHINES, "checkout", (), "node:1", LOG)
    everybody = frozenset(each.machine for each in MACHINES)
    copied = [standing for name, standing in engine.asked if name in {"commit", "run"}]
    assert copied == [everybody] * (len(MACHINES) + 1)
    assert engine.paused == frozenset()
    assert size == 3000 + (80 - 50) + (90 - 50), "what volumes and layers take, without what machines begin with"


def test_volumes_of_a_checkout_that_was_deleted_are_removed_before_new_ones_of_their_names(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    asked: list[tuple[str, ...]] = []

    def docker(*words: str, **options: object) -> str:
        asked.extend([words] if words[0] == "volume" else [])
        return engine.docker(*words, **options)

    monkeypatch.setattr(DockerEngine, "run", staticmethod(docker))
    docker_snapshots.save(MACHINES, "checkout", (), "node:1", LOG)
    assert asked[0] == ("volume", "rm", "--force", *(each.volume for each in MACHINES))
    assert [words[:2] for words in asked[1 : 1 + len(MACHINES)]] == [("volume", "create")] * len(MACHINES)


@pytest.mark.parametrize("fails", ["commit", "run"])
def test_machines_run_on_when_they_could_not_be_saved(engine: Engine, fails: str) -> None:
    engine.fails = fails
    with pytest.raises(MachineError):
        docker_snapshots.save(MACHINES, "checkout", (), "node:1", LOG)
    assert engine.paused == frozenset()


def test_a_machine_that_is_too_busy_to_be_frozen_is_asked_again(engine: Engine) -> None:
    engine.busy = 2
    docker_snapshots.save(MACHINES, "checkout", (), "node:1", LOG)
    assert {standing for name, standing in engine.asked if name in {"commit", "run"}} == {engine.everybody}
    assert engine.paused == frozenset()


def test_machines_that_the_engine_refuses_to_pause_are_not_asked_again(engine: Engine) -> None:
    engine.fails = "pause"
    with pytest.raises(MachineError, match="no space left"):
        docker_snapshots.save(MACHINES, "checkout", (), "node:1", LOG)
    assert [name for name, _ in engine.asked].count("pause") == 1


def test_new_volumes_carry_whose_they_are(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    made: list[tuple[str, ...]] = []

    def docker(*words: str, **options: object) -> str:
        made.extend([words] if words[:2] == ("volume", "create") else [])
        return engine.docker(*words, **options)

    monkeypatch.setattr(DockerEngine, "run", staticmethod(docker))
    docker_snapshots.restore(MACHINES, ("owner=checkout", "run=1"), (), "node:1", LOG)
    wanted = ("--label=owner=checkout", "--label=run=1")
    assert made == [("volume", "create", *wanted, each.machine) for each in MACHINES]
