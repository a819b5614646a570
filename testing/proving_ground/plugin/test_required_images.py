"""Of a matrix of images, only the machines of those images are made that the selected tests need."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from proving_ground.cli.main import main
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology
from proving_ground.host import networks
from proving_ground.lifecycle import machines, preflight
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.plugin.run import run_of
from proving_ground.providers import registry
from proving_ground.providers.base import Provider

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.fixture
def host(request, pg_machines): return request.param  # without testinfra

def test_motto(host): pass

def test_all(pg_machines): pass

def test_none(): pass
"""
BOTH = ["debian-12", "debian-13"]


@pytest.fixture
def made(planned: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Names of the machines that each run makes, which are only said to be there, of a project with two images."""
    planned.makefile(".toml", pyproject='[tool.proving-ground]\nimages = ["debian:12", "debian:13"]')
    (planned.path / "topology" / "default.yml").unlink()
    planned.makepyfile(test_x=TESTS)
    calls: list[list[str]] = []

    class Machines(Provider):
        in_place, needs_view = False, False

        def create(self, topology: Topology, *_: object) -> float:
            calls.append([node.name for node in topology.nodes])
            return 1.0

    def destroy(settings: Settings, *_: object) -> bool:
        Ledger(settings.state_directory).clear()
        return True

    monkeypatch.setattr(registry, "of", Machines)
    monkeypatch.setattr(machines, "destroy", destroy)
    monkeypatch.setattr(preflight, "check_reachable", lambda *_: None)
    monkeypatch.setattr(preflight, "check", lambda *_: None)
    monkeypatch.setattr(networks, "reserved", lambda *_, **__: nullcontext(None))
    monkeypatch.chdir(planned.path)
    return calls


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    options = ("-p", "no:cacheprovider", "--pg-provider=container", "--pg-keep=always")
    return project.runpytest_inprocess(*options, *arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-k", "debian-12"), [["debian-12"]]),
        (("test_x.py::test_motto[debian-13]",), [["debian-13"]]),
        (("-k", "debian-12 or debian-13"), [BOTH]),
        (("-k", "debian-12 or all"), [BOTH]),
        (("-k", "debian-12 or none"), [["debian-12"]]),
        (("-k", "none"), []),
        ((), [BOTH]),
    ],
)
def test_machines_are_made_of_the_images_of_the_selected_tests(
    planned: pytest.Pytester, made: list[list[str]], arguments: tuple[str, ...], expected: list[list[str]]
) -> None:
    assert run(planned, *arguments).ret == 0
    assert made == expected


def record(planned: pytest.Pytester) -> Record:
    found = Ledger(planned.path / ".proving-ground").read()
    assert found is not None
    return found


def test_machines_of_all_images_that_are_up_serve_the_tests_of_one(
    planned: pytest.Pytester, made: list[list[str]]
) -> None:
    run(planned)
    before = record(planned)
    assert run(planned, "-k", "debian-12").ret == 0
    assert made == [BOTH]
    assert record(planned) == before


def test_machines_of_one_image_that_are_up_serve_its_tests_and_no_others(
    planned: pytest.Pytester, made: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    run(planned, "-k", "debian-12")
    assert run(planned, "-k", "debian-12").ret == 0
    result = run(planned)
    assert result.ret == 11
    result.stdout.fnmatch_lines(
        ["*: machines of topology 'default' on provider 'container' and only of image_debian_12 are up — run *destroy*"]
    )
    assert made == [["debian-12"]]
    run(planned, "--pg-reuse").assert_outcomes(passed=3)
    capsys.readouterr()
    assert main(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["debian-12"]


def test_the_run_knows_only_machines_that_are_up(planned: pytest.Pytester, made: list[list[str]]) -> None:
    config = planned.parseconfigure("--pg-provider=container")
    own = Record("run", "default", "container", phase="created", images="image_debian_13")
    Ledger(planned.path / ".proving-ground").write(own)
    assert [node.name for node in run_of(config).topology.nodes] == ["debian-13"], "also where it collects no tests"
    assert made == []
