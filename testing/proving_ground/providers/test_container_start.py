"""Containers start with the fewest arguments that work here; what worked is kept, and what never does is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.timeouts import USUAL
from proving_ground.providers import container_start
from proving_ground.providers.container_image import Image
from proving_ground.providers.container_start import ATTEMPTS, PRIVILEGED, Group, Machine
from proving_ground.providers.docker_engine import DockerEngine

DEBIAN = Image("debian:12", "sha256:1", systemd="/lib/systemd/systemd", python="/usr/bin/python3", packages="apt-get")
MACHINES = [Machine(f"web-0{number}", f"ours-web-0{number}", "debian:12", ()) for number in (1, 2)]


class Engine(DockerEngine):
    """An engine on which process 1 needs some argument, or does not start whatever it gets."""

    def __init__(self, needs: str | None) -> None:
        self.needs = needs
        self.started: dict[str, tuple[str, ...]] = {}
        self.runs: list[tuple[str, ...]] = []
        self.asked: list[str] = []

    def run(self, *words: str, **_: object) -> str:
        self.asked.append(words[0])
        match words:
            case ("version", *_):
                return "28.2.2 6.1"
            case ("run", *rest):
                self.runs.append(tuple(rest))
                name = rest[rest.index("--name") + 1]
                assert name not in self.started, "the name is taken"
                self.started[name] = tuple(rest)
            case ("inspect", *_, name):
                return "running 0" if self.works(name) else "exited 255"
            case ("exec", name, *rest):
                if not self.works(name):
                    raise MachineError(f"container {name} is not running")
                return "running" if "systemctl" in " ".join(rest) else ""
            case ("logs", *_):
                return "Failed to mount cgroup\nFreezing execution."
            case ("rm", *_, name):
                del self.started[name]
            case _:
                raise AssertionError(f"nobody expected `docker {' '.join(words)}`")
        return ""

    def works(self, name: str) -> bool:
        return self.needs is not None and (not self.needs or self.needs in self.started[name])


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def start(tmp_path: Path, engine: Engine, *, init: str = "", privileged: bool = False) -> Engine:
    groups = [Group(tuple(MACHINES), DEBIAN, privileged)]
    container_start.start(groups, engine, init=init, timeouts=USUAL, log=tmp_path / "log")
    return engine


@pytest.mark.parametrize("needs", ["", "writable-cgroups=true", "SYS_ADMIN", "seccomp=unconfined"])
def test_each_container_has_what_systemd_needs_here_and_no_more(tmp_path: Path, needs: str) -> None:
    engine = start(tmp_path, Engine(needs))
    least = next(attempt for attempt in ATTEMPTS if not needs or needs in attempt)
    for name in ("ours-web-01", "ours-web-02"):
        arguments = engine.started[name]
        assert arguments[-len(least) - 3 :] == (*least, "--entrypoint", DEBIAN.systemd, "debian:12")
        assert "--privileged" not in arguments
        assert arguments[arguments.index("--cgroupns") + 1] == "private", "never the host's control groups"


def test_what_worked_is_not_searched_again(tmp_path: Path) -> None:
    assert len(start(tmp_path, Engine("SYS_ADMIN")).runs) == len(MACHINES) + 2, "two attempts failed"
    assert len(start(tmp_path, Engine("SYS_ADMIN")).runs) == len(MACHINES)


def test_what_worked_is_searched_again_for_another_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start(tmp_path, Engine("SYS_ADMIN"))
    monkeypatch.setattr(f"{__name__}.DEBIAN", Image("debian:13", "sha256:2", systemd="/lib/systemd/systemd"))
    assert len(start(tmp_path, Engine("SYS_ADMIN")).runs) == len(MACHINES) + 2


def test_process_1_that_ends_shows_its_log_and_what_would_help(tmp_path: Path) -> None:
    engine = Engine(None)
    with pytest.raises(MachineError) as caught:
        start(tmp_path, engine)
    assert "web-01: process 1 ended with 255" in str(caught.value)
    assert "Failed to mount cgroup | Freezing execution." in str(caught.value)
    assert "set `privileged = true` in [tool.proving-ground]" in str(caught.value)
    assert engine.started == {}, "no container that does not work is left"


def test_only_a_project_that_asks_for_it_is_privileged(tmp_path: Path) -> None:
    engine = start(tmp_path, Engine("--privileged"), privileged=True)
    assert all(PRIVILEGED[0][0] in arguments for arguments in engine.started.values())
    assert len(engine.runs) == len(MACHINES)


def test_a_project_that_wants_no_init_gets_a_process_that_waits(tmp_path: Path) -> None:
    engine = start(tmp_path, Engine(None), init="none")
    assert all(arguments[-3:] == ("debian:12", "-c", "exec tail -f /dev/null") for arguments in engine.runs)


def test_a_machine_that_does_not_come_up_is_named_and_the_next_run_searches_again(tmp_path: Path) -> None:
    start(tmp_path, Engine(""))
    engine = Engine("")
    engine.works = lambda name: name != "ours-web-02"  # type: ignore[method-assign]
    with pytest.raises(MachineError, match="web-02: process 1 ended with 255; the end of its log: Failed to mount"):
        start(tmp_path, engine)
    assert len(start(tmp_path, Engine("SYS_ADMIN")).runs) == len(MACHINES) + 2


def test_an_engine_that_refuses_an_argument_is_asked_for_the_next(tmp_path: Path) -> None:
    """Docker before 28 does not know ``writable-cgroups``; its client fails to remove what was not made."""
    engine, run = Engine("SYS_ADMIN"), Engine.run

    def older(*words: str, **options: object) -> str:
        if words[0] == "run" and "writable-cgroups=true" in words:
            raise MachineError("invalid --security-opt")
        if words[0] == "rm" and words[-1] not in engine.started:
            raise MachineError("No such container")
        return run(engine, *words, **options)

    engine.run = older  # type: ignore[method-assign]
    start(tmp_path, engine)
    assert all("SYS_ADMIN" in arguments for arguments in engine.started.values())


def test_containers_of_several_images_start_together_each_with_what_its_image_needs(tmp_path: Path) -> None:
    engine = Engine("")
    plain = Image("plain:1", "sha256:3", python="/usr/bin/python3")
    groups = [
        Group((Machine("web-01", "ours-web-01", "debian:12", ()),), DEBIAN),
        Group((Machine("all-01", "ours-all-01", "debian:12", ()),), DEBIAN, privileged=True),
        Group((Machine("job-01", "ours-job-01", "plain:1", ()),), plain),
    ]
    container_start.start(groups, engine, init="", timeouts=USUAL, log=tmp_path / "log")
    assert {name: "--privileged" in arguments for name, arguments in engine.started.items()} == {
        **{"ours-web-01": False, "ours-all-01": True},
        "ours-job-01": False,
    }
    assert engine.started["ours-job-01"][-3:] == ("plain:1", "-c", "exec tail -f /dev/null")


def test_a_machine_that_starts_is_asked_once(tmp_path: Path) -> None:
    """Each question is a process of the client, and takes time from systemd's own start."""
    start(tmp_path, Engine(""))
    engine = start(tmp_path, Engine(""))
    assert sorted(engine.asked) == ["exec", "exec", "run", "run", "version"], engine.asked
