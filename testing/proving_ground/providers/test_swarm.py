"""Machines of a swarm are made, saved and removed on their engines; the ledger knows where they are."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError, PreflightError, UsageError
from proving_ground.core.placement import Member
from proving_ground.core.plan import plan_of
from proving_ground.core.progress import Progress
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.depot import View
from proving_ground.lifecycle import machines
from proving_ground.machines import access
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.providers import container, container_start, image_copies, registry, swarm, swarm_nodes
from proving_ground.providers.container_image import Image
from proving_ground.providers.container_start import Group
from proving_ground.providers.engine import Engine
from proving_ground.providers.swarm import Swarm, SwarmEngine

MACHINES: tuple[tuple[str, object], ...] = (("web", {"count": 2}), ("db", {"placement": ["node.labels.disk == ssd"]}))
TWO = ("one", "ssh://two")
MEMBERS = (Member("one"), Member("ssh://two", {"node.labels.disk": "ssd"}))


class Engines:
    """Two engines; what they were asked to do, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.started: dict[str, list[str]] = {}
        self.refusals: dict[str, str] = {}
        self.images: dict[str, set[str]] = {"one": {"debian:12"}, "ssh://two": set()}
        self.answers: dict[tuple[str, ...], list[str | MachineError]] = {}
        self.fails: str = ""
        monkeypatch.setattr(swarm_nodes, "members", lambda _: MEMBERS)
        monkeypatch.setattr(swarm, "SEEN", {})
        monkeypatch.setattr(container, "LOOKED_AT", {})
        monkeypatch.setattr(container, "image_of", lambda name, *_: Image(name, f"sha256:{name}"))
        monkeypatch.setattr(container, "identifier", lambda engine, name, *_: self.identifier(engine, name))
        monkeypatch.setattr(image_copies, "identifier", lambda engine, name, *_: self.identifier(engine, name))
        monkeypatch.setattr(container_start, "start", self.start)
        monkeypatch.setattr(SwarmEngine, "run", lambda engine, *words, **_: self.run(engine, *words))
        monkeypatch.setattr(SwarmEngine, "refusal", lambda engine: self.refusals.get(engine.address))

    def identifier(self, engine: Engine, name: str) -> str:
        return "sha256:1" if name in self.images[engine.address] else ""

    def start(self, groups: list[Group], engine: Engine, **_: object) -> None:
        for group in groups:
            assert group.image.name in self.images[engine.address], "the engine has the image"
            self.started.setdefault(engine.address, []).extend(each.name for each in group.machines)
        if self.fails == engine.address:
            raise MachineError("no space left on device", where=engine.address)

    def run(self, engine: Engine, *words: str) -> str:
        self.asked.append((engine.address, *words))
        if answers := self.answers.get((engine.address, *words[:2])):
            answer = answers.pop(0)
            if isinstance(answer, MachineError):
                raise answer
            return answer
        match words:
            case ("tag", _, name):
                self.images[engine.address].add(name)
            case ("save", "--output", file, name):
                Path(file).write_text(name, encoding="utf-8")
            case ("load", "--input", file):
                self.images[engine.address].add(Path(file).read_text(encoding="utf-8"))
            case ("image", "inspect", *_):
                return "\n".join("100" if "copy" in word else "130" for word in words[4:])
        return ""

    def did(self, engine: str, *words: str) -> list[tuple[str, ...]]:
        return [asked[1:] for asked in self.asked if asked[: len(words) + 1] == (engine, *words)]


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engines:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Engines(monkeypatch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return of(tmp_path)


def of(root: Path, **more: object) -> Settings:
    project = Project(image="debian:12", machines=MACHINES, engines=TWO)
    return Settings(root, "run", provider="container", project=Project(**(vars(project) | more)))


def create(settings: Settings, checkpoint: str | None = None) -> Record:
    return machines.create(settings, plan_of(settings), None, View(Path(), ""), Progress(), checkpoint=checkpoint)


PLACED = {"web-01": "one", "web-02": "one", "db-01": "ssh://two"}


def test_machines_are_made_on_the_engines_that_the_ledger_has(settings: Settings, engines: Engines) -> None:
    create(settings)
    record = Ledger(settings.state_directory).read()
    assert record is not None
    assert (record.engines, record.placement) == (list(TWO), PLACED)
    assert engines.started == {"one": ["web-01", "web-02"], "ssh://two": ["db-01"]}


def test_the_ledger_has_them_before_the_first_exists(settings: Settings, engines: Engines) -> None:
    engines.answers["one", "network", "ls"] = [MachineError("the engine has ended")]
    with pytest.raises(MachineError):
        create(settings)
    record = Ledger(settings.state_directory).read()
    assert record is not None
    assert (record.phase, record.engines, record.placement) == ("creating", list(TWO), PLACED)
    assert engines.started == {}


def test_the_manager_makes_one_network_that_containers_may_join(settings: Settings, engines: Engines) -> None:
    create(settings)
    (made,) = engines.did("one", "network", "create")
    assert made[2:7] == ("--driver", "overlay", "--attachable", "--subnet", "10.0.0.0/24")
    assert not engines.did("ssh://two", "network")


def test_an_image_goes_from_the_first_engine_to_those_that_need_it_once(settings: Settings, engines: Engines) -> None:
    create(settings)
    create(settings)
    assert len(engines.did("one", "save")) == 1
    assert len(engines.did("ssh://two", "load")) == 1
    assert "debian:12" not in engines.images["ssh://two"], "what its users call debian:12 stays"


def test_an_image_goes_nowhere_if_no_machine_needs_it_there(tmp_path: Path, engines: Engines) -> None:
    create(of(tmp_path, machines=(("db", {"placement": ["node.labels.disk != ssd"]}),)))
    assert engines.started == {"one": ["db-01"]}
    assert not engines.did("one", "save")


def test_what_fails_on_one_engine_fails_the_run(settings: Settings, engines: Engines) -> None:
    engines.fails = "ssh://two"
    with pytest.raises(MachineError, match="no space left"):
        create(settings)
    assert engines.started["one"] == ["web-01", "web-02"], "the others have come as far as they could"


def test_each_machine_is_reached_by_its_engine(settings: Settings, engines: Engines) -> None:
    create(settings)
    assert engines.started
    provider, (web, _, db) = registry.of(settings), plan_of(settings).nodes
    assert provider.connection(web)["proving_ground_engine"] == "docker --context one"
    assert provider.connection(db)["proving_ground_engine"] == "docker --host ssh://two"
    assert access.login(settings, "web-01")[:5] == ["docker", "--context", "one", "exec", "-it"]
    assert access.root_shell(settings, "db-01")[:5] == ["docker", "--host", "ssh://two", "exec", "-i"]


def test_a_machine_stays_where_it_is_if_a_label_moves(
    settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(settings)
    assert engines.started
    before = registry.of(settings).content
    moved = (Member("one", {"node.labels.disk": "ssd"}), Member("ssh://two"))
    monkeypatch.setattr(swarm_nodes, "members", lambda _: moved)
    monkeypatch.setattr(swarm, "SEEN", {})
    assert registry.of(settings).connection(plan_of(settings).node("db-01"))["proving_ground_engine"].endswith("two")
    assert registry.of(settings).content != before, "a checkpoint of the other placement does not apply"


def test_a_checkpoint_is_saved_and_forgotten_on_each_machines_engine(settings: Settings, engines: Engines) -> None:
    create(settings)
    size = registry.of(settings).save("key", plan_of(settings), View(Path(), ""), Progress(), settings.root / "log")
    assert [len(engines.did(engine, "commit")) for engine in TWO] == [2, 1]
    assert size == 3 * (130 - 100)
    image = f"proving-ground/checkpoint:{settings.checkout_id}-key-db-01"
    engines.answers["ssh://two", "image", "ls"] = [image]
    registry.of(settings).forget("key", settings.root / "log")
    assert engines.did("ssh://two", "image", "rm") == [("image", "rm", image)]


def test_machines_that_share_a_volume_have_to_be_on_one_engine(tmp_path: Path, engines: Engines) -> None:
    shared = tuple((name, {"volumes": ["data:/data"]}) for name in ("web", "db"))
    with pytest.raises(UsageError, match=r"volume data: web-01 and db-01 are on different engines.*`placement`"):
        registry.of(of(tmp_path, machines=shared)).fetch(Progress(), tmp_path / "log")
    assert not engines.asked


def test_a_container_that_does_not_run_is_missed_on_its_own_engine(settings: Settings, engines: Engines) -> None:
    create(settings)
    name = f"proving-ground-{settings.checkout_id}"
    engines.answers["one", "ps", "--filter"] = [f"{name}-web-01\n{name}-web-02"]
    with pytest.raises(MachineError, match=r"^unreachable: db-01: the container does not run"):
        registry.of(settings).check_reachable(plan_of(settings), settings.timeouts, 1)


def test_a_silent_engine_is_named_and_the_others_are_cleaned(settings: Settings, engines: Engines) -> None:
    create(settings)
    engines.refusals["ssh://two"] = "Cannot connect to the Docker daemon at ssh://two"
    engines.answers["one", "ps", "--all"] = ["c1 c2"]
    with pytest.raises(PreflightError) as caught:
        machines.destroy(settings, Progress())
    assert str(caught.value).startswith("engines: not removed from ssh://two: Cannot connect to the Docker daemon")
    assert "one has nothing left; run `proving-ground destroy` again" in str(caught.value)
    assert engines.did("one", "rm") == [("rm", "--force", "--volumes", "c1", "c2")]
    assert not engines.did("one", "network", "rm"), "a machine may still be in it"
    assert Ledger(settings.state_directory).read() is not None, "the next removal finds it"
    engines.refusals.clear()
    assert machines.destroy(settings, Progress())
    assert Ledger(settings.state_directory).read() is None


def test_what_an_engine_refuses_to_remove_is_an_error_of_its_own(settings: Settings, engines: Engines) -> None:
    create(settings)
    engines.answers["one", "ps", "--all"] = ["c1"]
    engines.answers["one", "rm", "--force"] = [MachineError("device or resource busy")]
    with pytest.raises(MachineError, match="not removed from one: device or resource busy") as caught:
        machines.destroy(settings, Progress())
    assert caught.value.exit_code == 14


def test_the_network_goes_when_the_swarm_has_seen_the_last_machine_go(settings: Settings, engines: Engines) -> None:
    create(settings)
    engines.answers["one", "network", "ls"] = ["", *["ours"] * 4, ""]  # of the engine alone, then of the swarm
    engines.answers["one", "network", "rm"] = [
        MachineError("network ours is in use by task 1"),
        "",
        MachineError("network ours not found"),  # an engine still lists what the swarm has removed
    ]
    assert registry.of(settings).remove_leftovers() == 1
    assert engines.did("one", "network", "rm") == [("network", "rm", "ours")] * 3


def test_a_network_that_cannot_be_removed_is_an_error_at_once(settings: Settings, engines: Engines) -> None:
    create(settings)
    engines.answers["one", "network", "ls"] = ["", "ours", "ours"]
    engines.answers["one", "network", "rm"] = [MachineError("permission denied")]
    with pytest.raises(MachineError, match="permission denied"):
        registry.of(settings).remove_leftovers()


def test_a_network_that_is_left_alone_is_found_without_a_ledger(settings: Settings, engines: Engines) -> None:
    engines.answers["one", "network", "ls"] = ["", "ours", *[""] * 3]
    assert registry.of(settings).has_leftovers()
    assert not registry.of(settings).has_leftovers()
    engines.refusals["one"] = "no answer"
    assert not registry.of(settings).has_leftovers()


def test_the_networks_that_are_avoided_are_the_swarms(
    settings: Settings, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def networks(manager: Engine) -> list[tuple[str, IPv4Network]]:
        asked.append(manager.address)
        return []

    monkeypatch.setattr(swarm_nodes, "networks", networks)
    assert registry.of(settings).networks() == []
    assert (asked, engines.asked) == (["one"], [])


def test_machines_are_removed_from_the_engines_that_have_them(settings: Settings, engines: Engines) -> None:
    create(settings)
    for now in (("three",), ()):  # a command without the profile that names the engines has none
        provider = registry.of(of(settings.root, engines=now))
        assert isinstance(provider, Swarm)
        assert [each.address for each in provider.engines] == list(TWO)
    assert engines.started


def test_without_machines_the_engines_are_those_of_the_settings(settings: Settings) -> None:
    provider = registry.of(settings)
    assert isinstance(provider, Swarm)
    assert [each.address for each in provider.engines] == list(TWO)
    assert not isinstance(registry.of(of(settings.root, engines=())), Swarm)


@pytest.mark.parametrize("provider", ["podman", "docker"])
def test_engines_are_refused_by_providers_that_know_none(settings: Settings, provider: str) -> None:
    other = Settings(settings.root, "run", provider=provider, project=settings.project)
    with pytest.raises(UsageError, match=f"provider {provider} does not use several engines"):
        plan_of(other)


def test_an_engine_that_does_not_answer_is_named_with_the_setting(
    tmp_path: Path, put_on_path: Callable[[str, str], None]
) -> None:
    put_on_path("docker", '#!/bin/sh\necho "Cannot connect to the Docker daemon at $2" >&2\nexit 1\n')
    with pytest.raises(PreflightError) as caught:
        registry.of(of(tmp_path)).ensure_running(Progress())
    assert str(caught.value) == (
        "docker: the Docker engine at one does not answer: Cannot connect to the Docker daemon at one"
        " — look at `engines` in [tool.proving-ground], and at `docker context ls`"
    )


def test_the_connection_plugin_reaches_the_machines_engine(put_on_path: Callable[[str, str], None]) -> None:
    put_on_path("docker", '#!/bin/sh\necho "$@"\n')
    from proving_ground.ansible.connection_plugins.proving_ground_container import Connection

    connection = Connection.__new__(Connection)
    options = {"engine": "docker --host 'ssh://two'", "remote_user": "root", "remote_addr": "db"}
    connection.get_option = options.__getitem__
    done: subprocess.CompletedProcess[bytes] = connection._exec(["true"])
    assert done.stdout == b"--host ssh://two exec -i --user root db true\n"
