"""What is removed from the Docker engine: all that carries this checkout's label, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.providers import docker_engine
from proving_ground.providers.docker_engine import DockerEngine
from proving_ground.providers.engine import LABEL


@dataclass(frozen=True)
class Thing:
    """Something that an engine keeps: its kind in the client's words, its name, its labels."""

    kind: str
    name: str
    labels: frozenset[str]


class Shared(DockerEngine):
    """An engine that several checkouts and a stranger use."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        owners = {"ours": f"{LABEL}=checkout-1", "other": f"{LABEL}=checkout-2", "strange": "com.example=1"}
        self.things = {
            Thing(kind, f"{kind}-{name}", frozenset({label}))
            for kind in ("container", "network", "volume")
            for name, label in owners.items()
        }

    def run(self, *words: str, **_: object) -> str:
        match words:
            case ("ps", *rest):
                return self._named("container", rest)
            case (("network" | "volume") as kind, "ls", *rest):
                return self._named(kind, rest)
            case ("rm", *rest):
                if self.refusals:
                    raise MachineError(self.refusals.pop())
                return self._remove("container", rest)
            case (("network" | "volume") as kind, "rm", *rest):
                return self._remove(kind, rest)
        raise AssertionError(f"nobody expected `docker {' '.join(words)}`")

    def _named(self, kind: str, words: Sequence[str]) -> str:
        wanted = {word.removeprefix("label=") for word in words if word.startswith("label=")}
        return "\n".join(
            each.name
            for each in sorted(self.things, key=str)
            if each.kind == kind and all(any(label.startswith(one) for label in each.labels) for one in wanted)
        )

    def _remove(self, kind: str, words: Sequence[str]) -> str:
        self.things -= {each for each in self.things if each.kind == kind and each.name in words}
        return ""


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Shared:
    one = Shared()
    monkeypatch.setattr(one, "refusal", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return one


def test_all_of_this_checkout_is_removed_and_nothing_of_others(shared: Shared) -> None:
    assert shared.remove_leftovers("checkout-1") == 3
    assert {each.name.partition("-")[2] for each in shared.things} == {"other", "strange"}
    assert len(shared.things) == 6


def test_what_an_interrupted_removal_is_still_removing_is_awaited(shared: Shared) -> None:
    shared.refusals = ["Error response from daemon: removal of container 4a7c is already in progress"] * 2
    assert shared.remove_leftovers("checkout-1") == 3
    assert shared.refusals == []
    assert len(shared.things) == 6


def test_what_cannot_be_removed_is_an_error_at_once(shared: Shared) -> None:
    shared.refusals = ["Error response from daemon: device or resource busy"] * 2
    with pytest.raises(MachineError, match="busy"):
        shared.remove_leftovers("checkout-1")
    assert len(shared.refusals) == 1


def test_where_nothing_is_left_nothing_is_removed(shared: Shared) -> None:
    assert shared.remove_leftovers("checkout-3") == 0
    assert len(shared.things) == 9


def test_machines_ask_for_nothing_that_a_host_may_lack() -> None:
    """Docker 20.10 takes "ALL" for more than a host has; Docker 26 refuses to drop what a host does not have."""
    words = docker_engine.CREATE_ARGUMENTS
    asked = [words[number + 1] for number, word in enumerate(words) if word == "--cap-add"]
    assert len(asked) == len(set(asked))
    assert {"SYS_ADMIN", "NET_ADMIN", "SYS_MODULE", "SYSLOG"} <= set(asked)
    assert not {"ALL", "SYS_RESOURCE"} & set(asked)
    assert "--cap-drop" not in words
    assert "--privileged" not in words
