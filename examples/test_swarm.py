"""A cluster on two engines of a Docker Swarm: machines find each other by name, and all of them are removed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.running import cases_of, passes, run
from examples.second_engine import SecondEngine
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger
from proving_ground.providers import docker_snapshots
from proving_ground.providers.docker_engine import USUAL_HOST
from proving_ground.providers.engine import LABEL
from testing.installed.environments import environment_for

SWARM = "--pg-profile=swarm"
OF_COMMANDS = "--profile=swarm"
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def engines(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SecondEngine]]:
    """Two engines, each in a network of its own, joined by a cable; the second has no image."""
    place = tmp_path_factory.mktemp("swarm")
    found = {name: SecondEngine(place / name) for name in NAMES}
    try:
        for engine in found.values():
            engine.start()
        join(found)
        found["one"].load(debian)
        yield found
    finally:
        for engine in found.values():
            engine.close()


def join(engines: dict[str, SecondEngine]) -> None:
    """Lay a cable between the engines, and make one swarm of them; the second has the label that the store asks for."""
    one, two = engines.values()
    cable = ["ip", "link", "add", "cable", "netns", str(one.pid), "type", "veth"]
    subprocess.run([*cable, "peer", "name", "cable", "netns", str(two.pid)], check=True, timeout=30)
    for number, engine in enumerate(engines.values(), start=1):
        engine.enter("ip", "address", "add", f"198.51.100.{number}/24", "dev", "cable")
        engine.enter("ip", "link", "set", "cable", "up")
    one.run("swarm", "init", "--advertise-addr", "198.51.100.1")
    token = one.run("swarm", "join-token", "--quiet", "worker").strip()
    two.run("swarm", "join", "--token", token, "--advertise-addr", "198.51.100.2", "198.51.100.1:2377")
    node = two.run("info", "--format", "{{.Swarm.NodeID}}").strip()
    one.run("node", "update", "--label-add", "disk=ssd", node)


@pytest.fixture(autouse=True)
def contexts(engines: dict[str, SecondEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the client's for the engines, as the project has them; nothing leads to another engine."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "client"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    for name, engine in engines.items():
        subprocess.run(
            ["docker", "context", "create", name, "--docker", f"host={engine.address}"],
            check=True,
            capture_output=True,
            timeout=30,
        )


def machines_on(engine: SecondEngine) -> set[str]:
    """The machines on an engine, without the project's own part of their names."""
    names = engine.run("ps", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
    return {name.split("-", 3)[3] for name in names}


def left_on(engine: SecondEngine) -> list[str]:
    """What an engine has of any project."""
    ours = ("--filter", f"label={LABEL}")
    kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
    return [line for kind in kinds for line in engine.run(*kind, "--quiet", *ours).split()]


def checkpoints_on(engine: SecondEngine) -> list[str]:
    return engine.run("image", "ls", "--quiet", "--no-trunc", docker_snapshots.IMAGES).split()


def own_names(engines: dict[str, SecondEngine]) -> dict[str, str]:
    """The machines, and what each has written into its own file."""
    names = ("ps", "--filter", f"label={LABEL}", "--format", "{{.Names}}")
    return {
        name.split("-", 3)[3]: engine.run("exec", name, "cat", "/etc/own-name")
        for engine in engines.values()
        for name in engine.run(*names).split()
    }


def assert_nothing_is_left_on(engines: dict[str, SecondEngine], project: Path) -> None:
    assert {name: left_on(engine) for name, engine in engines.items()} == {"one": [], "two": []}
    assert Ledger(Settings(project, "afterwards").state_directory).read() is None


PLACED = {"one": {"web-01", "web-02"}, "two": {"store-01"}}


@pytest.mark.parametrize("project", ["cluster"], indirect=True)
def test_machines_of_two_engines_find_each_other_by_name_and_are_removed(
    project: Path, engines: dict[str, SecondEngine]
) -> None:
    output = passes(project, "pytest", SWARM, "--pg-keep=always")
    assert cases_of(project)["test_other_machines_reach_each_server_by_name[store-01]"] == []
    assert not any(cases_of(project).values()), "nothing failed, nothing was skipped"
    assert {name: machines_on(engine) for name, engine in engines.items()} == PLACED, "by label, and else evenly"
    assert "docker --context two exec -it proving-ground-" in output, "it says how to look at the machine"
    said = passes(project, "proving_ground.cli", "list", OF_COMMANDS)
    assert [line.split()[-1] for line in said.splitlines()] == ["two", "one", "one"], "it says where they are"
    passes(project, "pytest", SWARM, "--pg-reuse")
    passes(project, "proving_ground.cli", "destroy", OF_COMMANDS)
    assert_nothing_is_left_on(engines, project)


NAMED = """\
---
- name: Each machine knows its own name
  hosts: all
  gather_facts: false
  tasks:
    - name: Write it
      ansible.builtin.copy:
        content: "{{ inventory_hostname }}"
        dest: /etc/own-name
        mode: "0644"
"""


@pytest.mark.parametrize("project", ["cluster"], indirect=True)
def test_a_checkpoint_comes_back_on_each_machines_own_engine(project: Path, engines: dict[str, SecondEngine]) -> None:
    (project / "site.yml").write_text(NAMED, encoding="utf-8")
    # Another run on this host could have the network that the first attempt got.
    options = (OF_COMMANDS, "--checkpoints", "--network-prefix=10.77.0")
    try:
        for tasks in (1, 0):
            passes(project, "proving_ground.cli", "up", *options)
            logs = [path.read_text(encoding="utf-8") for path in (project / "artifacts" / "latest").glob("ansible.log")]
            assert "".join(logs).count("TASK [Write it]") == tasks
            assert own_names(engines) == {name: name for name in ("web-01", "web-02", "store-01")}
            passes(project, "proving_ground.cli", "destroy")
            assert_nothing_is_left_on(engines, project)
        assert [len(checkpoints_on(engine)) for engine in engines.values()] == [4, 2], "before and after the converge"
    finally:
        run(project, "proving_ground.cli", "checkpoints", OF_COMMANDS, "--prune", "all")
    assert not any(checkpoints_on(engine) for engine in engines.values())


@pytest.mark.parametrize("project", ["cluster"], indirect=True)
def test_what_a_killed_run_has_made_is_removed_from_both_engines(
    project: Path, engines: dict[str, SecondEngine]
) -> None:
    environment = environment_for((project / "README.md").read_text(encoding="utf-8"))
    command = [str(environment.python), "-m", "pytest", SWARM]
    log = (project / "killed.log").open("wb")
    killed = subprocess.Popen(command, cwd=project, env=environment.variables(), stdout=log, stderr=log)

    def has_begun() -> None:
        assert killed.poll() is None, (project / "killed.log").read_text(encoding="utf-8")
        if not all(machines_on(engine) for engine in engines.values()):
            raise NotReady("no machine yet")

    wait_until("both engines have machines", has_begun, timeout=120, interval=0.1)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left_on(engines, project)


@pytest.mark.parametrize("project", ["cluster"], indirect=True)
def test_an_engine_that_does_not_answer_is_named_and_cleaned_by_the_next_removal(
    project: Path, engines: dict[str, SecondEngine]
) -> None:
    passes(project, "proving_ground.cli", "create", OF_COMMANDS)
    engines["two"].stop()
    try:
        done = run(project, "proving_ground.cli", "destroy")
        assert done.returncode == 12, done.stderr
        assert "not removed from two: " in done.stderr
        assert "run `proving-ground destroy` again" in done.stderr
        assert machines_on(engines["one"]) == set(), "the others are clean"
    finally:
        engines["two"].start()
    assert left_on(engines["two"]), "it still has its machine"
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left_on(engines, project)


ENGINES = 'engines = ["one", "two"]'


@pytest.mark.parametrize("project", ["cluster"], indirect=True)
@pytest.mark.parametrize(
    ("said", "wrong", "code", "text"),
    [
        (ENGINES, 'engines = ["two", "one"]', 12, "the first, two, is no manager of its swarm — put a manager first"),
        (
            ENGINES,
            f'engines = ["one", "{USUAL_HOST}"]',
            12,
            f"{USUAL_HOST} is in no swarm (inactive) — run `docker swarm",
        ),
        (ENGINES, 'engines = ["one", "tow"]', 12, "the Docker engine at tow does not answer: "),
        (
            "disk == ssd",
            "disk == tape",
            11,
            "placement of store-01: no engine has node.labels.disk == tape — it is ssd on two",
        ),
    ],
    ids=["a worker first", "no swarm", "no context", "no label"],
)
def test_what_cannot_be_is_one_line_and_nothing_is_made(
    project: Path, engines: dict[str, SecondEngine], said: str, wrong: str, code: int, text: str
) -> None:
    table = project / "pyproject.toml"
    table.write_text(table.read_text(encoding="utf-8").replace(said, wrong), encoding="utf-8")
    done = run(project, "proving_ground.cli", "create", OF_COMMANDS)
    assert (done.returncode, text in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_is_left_on(engines, project)
