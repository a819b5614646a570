"""A converge in phases begins at the newest checkpoint that still holds, and saves what it passes."""

from __future__ import annotations

import io
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proving_ground.ansible.phases import Phase
from proving_ground.ansible.runner import Converge
from proving_ground.checkpoints.store import Checkpoint, listing
from proving_ground.core.errors import ConvergeError, MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.topology import parse
from proving_ground.host import networks
from proving_ground.lifecycle import executor, machines, preflight
from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.lifecycle.state import State
from proving_ground.machines.ledger import Record
from proving_ground.providers import registry

PHASES = (Phase("created", 0), Phase("store", 2), Phase("all", 3))


class Provider:
    """Keeps what it was asked for; ``broken`` makes saving fail."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.broken = False
        self.in_place = False
        self.runs = True

    def ensure_running(self, _: Progress) -> None:
        self.runs = True

    def networks(self) -> networks.Present:
        return []

    def save(self, key: str, *_: object) -> int:
        self.kept.append(key)
        if self.broken:
            raise MachineError("no space left on device", where="docker")
        return 5_000_000

    def forget(self, key: str, _: Path) -> None:
        assert self.runs
        self.kept.remove(key)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    one = Provider()
    monkeypatch.setattr(registry, "of", lambda _: one)
    return one


class Life:
    """A lifecycle whose machines and playbook are only said to be there; what it did is in ``did``."""

    def __init__(self, settings: Settings, provider: Provider, patch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.provider = provider
        self.roles = {phase.name: phase.name for phase in PHASES}
        self.did: list[Any] = []
        self.fails: tuple[int, int] | None = None
        self.goal = "all"
        (settings.root / settings.playbook).write_text("[]", encoding="utf-8")
        patch.setattr(State, "phases", PHASES)
        patch.setattr(State, "plan", parse("default", {"machines": {"store": {}}}))
        patch.setattr(State, "view", SimpleNamespace(path=Path("depot/view"), key="view"))
        patch.setattr(State, "key", lambda _, phase: self.key(phase))
        patch.setattr(State, "up_to", lambda _, roles: self.up_to(roles))
        patch.setattr(State, "write_inventory", lambda state: state.settings.root)
        patch.setattr(preflight, "check", lambda *_: None)
        patch.setattr(preflight, "check_reachable", lambda *_: None)
        patch.setattr(networks, "reserved", lambda *_, **__: nullcontext())
        patch.setattr(machines, "create", self.make)
        patch.setattr(machines, "restore_in_place", self.restore_in_place)
        patch.setattr(machines, "destroy", self.destroy)
        patch.setattr(executor, "run_playbook", lambda *_, plays, **__: self.play(*_[3:], plays=plays))
        self.life = Lifecycle(settings, Progress(io.StringIO()))
        self.ledger, self.checkpoints = self.life.ledger, self.life.checkpoints

    def key(self, phase: Phase) -> str:
        return "-".join(self.roles[each.name] for each in PHASES if each.plays <= phase.plays)

    def up_to(self, roles: Collection[str] | None) -> tuple[Phase, ...]:
        """Here a role has its phase's name."""
        names = (self.goal,) if roles is None and self.converging else roles
        last = max((phase.plays for phase in PHASES if names is None or phase.name in names), default=0)
        return tuple(phase for phase in PHASES if phase.plays <= last)

    converging = False

    def make(self, *_: object, checkpoint: str | None = None) -> Record:
        self.did.append(("make", checkpoint))
        return self.ledger.write(Record("run", "default", "docker", phase="created"))

    def restore_in_place(self, *arguments: object) -> Record:
        self.did.append(("put back", arguments[-1]))
        return self.ledger.update(phase="created", converged_key="", reached_key="")

    def play(self, *arguments: str, plays: tuple[int, int]) -> Converge:
        self.did.append((*(each.partition("=")[0] for each in arguments), plays))
        if plays == self.fails:
            raise ConvergeError("failed", play="Second")
        if not arguments:  # waiting makes nothing
            (self.settings.state_directory / "kubeconfig").write_text(f"{plays}", encoding="utf-8")
        return Converge((), Path())

    def destroy(self, *_: object) -> bool:
        self.did.append("destroy")
        self.ledger.clear()
        return True

    def create(self) -> None:
        self.converging = True
        self.life.create()
        self.converging = False

    def converge(self) -> list[Any]:
        self.did.clear()
        self.converging = True
        try:
            self.life.ensure_converged()
        finally:
            self.converging = False
        return list(self.did)

    def ready(self, *roles: str) -> list[Any]:
        self.did.clear()
        self.life.ready(roles or None)
        return list(self.did)

    def is_ready(self, *roles: str) -> bool:
        return self.life.is_ready(roles or None)


@pytest.fixture
def life(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Life:
    assert provider.kept == []
    return Life(Settings(tmp_path, "run", checkpoints=True), provider, monkeypatch)


WAITS = ("--tags", "--extra-vars")
FROM_NOTHING = [("make", None), (0, 2), (2, 3)]


def plays(did: list[Any]) -> list[Any]:
    return [each[0] if isinstance(each, tuple) and isinstance(each[0], tuple) else each for each in did]


def test_the_first_time_everything_is_made_and_saved(life: Life, provider: Provider) -> None:
    assert plays(life.converge()) == FROM_NOTHING
    assert provider.kept == ["created", "created-store", "created-store-all"]
    assert [(each.phase, each.complete) for each in life.checkpoints] == [(each.name, True) for each in PHASES]


def test_what_is_there_already_is_kept(life: Life) -> None:
    life.converge()
    assert life.converge() == []


def test_without_machines_the_last_phase_comes_back_and_is_only_waited_for(life: Life) -> None:
    life.converge()
    assert life.is_ready()
    life.ledger.clear()
    assert life.converge() == [("make", "created-store-all")]
    assert not life.is_ready()
    assert life.ready() == [(*WAITS, (0, 3))]
    assert life.is_ready()
    assert life.ready() == []


def test_what_is_asked_for_first_is_waited_for_first_and_then_all_the_rest(life: Life) -> None:
    life.converge()
    life.ledger.clear()
    life.converge()
    assert life.ready("store") == [(*WAITS, (0, 2))]
    assert life.is_ready("store")
    assert life.ready("store") == []
    assert not life.is_ready("store", "all")
    assert life.ready("all") == [(*WAITS, (2, 3))]
    assert life.is_ready()


def test_a_wait_that_failed_is_waited_for_again(life: Life) -> None:
    life.converge()
    life.ledger.clear()
    life.converge()
    life.fails = (0, 3)
    with pytest.raises(ConvergeError):
        life.ready()
    assert not life.is_ready()


def test_machines_that_came_up_new_have_been_waited_for(life: Life) -> None:
    life.create()
    assert life.is_ready()
    assert life.ready() == []


def test_after_a_change_it_begins_at_the_newest_checkpoint_before_it(life: Life) -> None:
    life.converge()
    life.roles["all"] = "changed"
    assert life.converge() == ["destroy", ("make", "created-store"), (*WAITS, (0, 2)), ((2, 3),)]
    assert life.checkpoints.get("created-store-changed") is not None


def test_a_change_that_is_taken_back_finds_its_checkpoint_again(life: Life) -> None:
    life.converge()
    life.roles["all"] = "changed"
    life.converge()
    life.roles["all"] = "all"
    assert life.converge()[:2] == ["destroy", ("make", "created-store-all")]


def test_a_change_at_the_bottom_begins_with_new_machines(life: Life) -> None:
    life.converge()
    life.roles["store"] = "changed"
    assert plays(life.converge())[-3:] == [("make", "created"), (0, 2), (2, 3)]


def test_a_phase_that_failed_is_not_saved_and_those_before_it_are(life: Life, provider: Provider) -> None:
    life.fails = (2, 3)
    with pytest.raises(ConvergeError):
        life.converge()
    assert provider.kept == ["created", "created-store"]
    life.fails = None
    assert life.converge()[:2] == ["destroy", ("make", "created-store")]


def test_what_was_made_on_the_controller_comes_back_and_the_runs_own_does_not(life: Life) -> None:
    state = life.settings.state_directory
    life.converge()
    life.ledger.clear()
    (state / "kubeconfig").write_text("lost", encoding="utf-8")
    (state / "ssh").mkdir()
    life.roles["all"] = "changed"
    life.fails = (2, 3)
    with pytest.raises(ConvergeError):
        life.converge()
    saved = life.checkpoints.directory / "created-store" / "state"
    assert (state / "kubeconfig").read_text(encoding="utf-8") == "(0, 2)"
    assert (saved / "kubeconfig").read_text(encoding="utf-8") == "(0, 2)"
    assert {each.name for each in saved.iterdir()} == {"kubeconfig"}


def test_a_checkpoint_that_was_broken_off_is_not_used_and_leaves_nothing(life: Life, provider: Provider) -> None:
    provider.broken = True
    with pytest.raises(MachineError):
        life.converge()
    assert [each.complete for each in life.checkpoints] == [False]
    assert "broken off" in next(listing(life.checkpoints))
    provider.broken = False
    life.ledger.clear()
    assert plays(life.converge()) == FROM_NOTHING
    assert provider.kept.count("created") == 1


def test_the_list_shows_sizes_and_their_sum(life: Life) -> None:
    life.converge()
    lines = list(listing(life.checkpoints))
    assert all("5 MB" in line for line in lines[:-1])
    assert lines[-1] == "15 MB in all"


def test_forgetting_removes_what_the_provider_keeps(life: Life, provider: Provider) -> None:
    life.converge()
    life.checkpoints.forget([each for each in life.checkpoints if each.phase != "all"])
    assert provider.kept == ["created-store-all"]
    assert [each.phase for each in life.checkpoints] == ["all"]


def test_what_keeps_checkpoints_is_started_before_they_are_forgotten(life: Life, provider: Provider) -> None:
    life.converge()
    provider.runs = False
    life.checkpoints.forget(list(life.checkpoints))
    assert provider.kept == []
    provider.runs = False
    life.checkpoints.forget([])
    assert not provider.runs, "for nothing"


def test_a_failed_phase_says_that_the_same_again_begins_before_it(life: Life) -> None:
    life.fails = (2, 3)
    with pytest.raises(ConvergeError) as failed:
        life.converge()
    assert failed.value.hint == "fix it and run the same again: it begins at checkpoint store"


def test_machines_that_start_anew_to_be_saved_are_waited_for(life: Life, provider: Provider) -> None:
    provider.in_place = True
    assert life.converge() == [("make", None), ((0, 2),), (*WAITS, (0, 2)), ((2, 3),), (*WAITS, (0, 3))]


def test_machines_that_hold_their_checkpoints_come_back_in_their_place(life: Life, provider: Provider) -> None:
    provider.in_place = True
    life.converge()
    life.roles["all"] = "changed"
    restored_at = [("put back", "created-store"), (*WAITS, (0, 2))]
    assert life.converge() == [*restored_at, ((2, 3),), (*WAITS, (0, 3))]


def test_what_disks_held_before_is_not_counted_again(life: Life, provider: Provider) -> None:
    provider.in_place = True
    life.converge()
    assert [each.size for each in life.checkpoints] == [5_000_000, 0, 0]


def test_machines_of_another_kind_do_not_hold_what_is_wanted(life: Life, provider: Provider) -> None:
    provider.in_place = True
    life.converge()
    life.ledger.update(provider="libvirt")
    life.roles["all"] = "changed"
    assert life.converge()[:2] == ["destroy", ("make", None)]


def test_checkpoints_that_machines_held_are_dropped_with_them(life: Life, provider: Provider) -> None:
    life.converge()
    life.checkpoints.drop(["libvirt"])
    assert len(list(life.checkpoints)) == len(PHASES)
    life.checkpoints.drop(["docker"])
    assert list(life.checkpoints) == []
    assert len(provider.kept) == len(PHASES), "nobody was asked for what is gone"


def test_checkpoints_of_another_provider_are_forgotten_by_that_one(
    life: Life, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.converge()
    asked: list[str] = []

    def of(settings: Settings) -> Provider:
        asked.append(settings.provider)
        return provider

    monkeypatch.setattr(registry, "of", of)
    chosen = [replace(each, provider="other") for each in life.checkpoints][:1]
    life.checkpoints.forget(chosen)
    assert asked == ["other"]


def test_sizes_are_told_in_megabytes() -> None:
    one = Checkpoint("key", "all", "default", "docker", "2026-01-01T00:00:00", 1_234_567_890, complete=True)
    assert "1235 MB" in next(listing([one]))


def test_machines_that_came_up_at_a_checkpoint_go_on_from_there(life: Life) -> None:
    life.converge()
    life.ledger.clear()
    life.roles["all"] = "changed"
    life.did.clear()
    life.create()  # as for a test that only asks for machines
    assert life.did == [("make", "created-store")]
    assert life.converge() == [(*WAITS, (0, 2)), ((2, 3),)], "and not replaced by themselves"


def test_only_phases_that_are_wanted_are_passed(life: Life, provider: Provider) -> None:
    life.goal = "store"
    assert plays(life.converge()) == [("make", None), (0, 2)]
    assert provider.kept == ["created", "created-store"]
    record = life.ledger.read()
    assert record is not None
    assert (record.phase, record.reached, record.converged_key) == ("created", "store", "")
    assert record.view == "depot/view", "the ways in are told of a cluster that is not complete, too"
    assert life.converge() == []
    life.goal = "all"
    assert life.converge() == [((2, 3),)], "and what comes later goes on from there"


def test_machines_that_are_further_than_wanted_are_kept(life: Life) -> None:
    life.converge()
    life.goal = "store"
    assert life.converge() == []


def test_a_checkpoint_beyond_what_is_wanted_is_not_waited_for(life: Life) -> None:
    life.converge()
    life.ledger.clear()
    life.goal = "store"
    assert life.converge() == [("make", "created-store")]
    assert life.ready("store") == [(*WAITS, (0, 2))]


def test_what_is_edited_while_it_runs_is_not_what_is_saved(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    play = life.play

    def edited(*arguments: str, plays: tuple[int, int]) -> Converge:
        life.roles["store"] = "edited"
        return play(*arguments, plays=plays)

    monkeypatch.setattr(life, "play", edited)
    life.converge()
    assert {each.key for each in life.checkpoints} == {"created", "created-store", "created-store-all"}
