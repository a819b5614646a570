"""After a failure the way to the machines, and to the test that failed, is on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proving_ground.core import topology
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger, Record
from proving_ground.plugin.debug_hints import access_commands, rerun_commands

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
PLAN = topology.load(ROOT / "topology", "default")
TEST = "tests/configure/test_flannel.py::test_flannel_daemon_runs[kube-worker-01]"

FAILING = """
import pytest

def pytest_generate_tests(metafunc):
    metafunc.parametrize("name", ["kube-worker-01"])
"""


def test_every_machine_has_a_line_and_its_address(tmp_path: Path) -> None:
    lines = list(access_commands(Settings(tmp_path, "run"), PLAN))
    assert lines[0].split() == ["ssh", "-F", ".proving-ground/ssh.config", "etcd-01", "#", str(PLAN.nodes[0].address)]
    assert len(lines) == len(PLAN.nodes)


def test_only_machines_that_a_failure_is_about_are_shown(tmp_path: Path) -> None:
    (line,) = access_commands(Settings(tmp_path, "run"), PLAN, ["kube-worker-02"])
    assert "kube-worker-02" in line


def test_programs_and_configuration_of_the_cluster_are_put_in_reach(tmp_path: Path) -> None:
    project = Project(environment=(("KUBECONFIG", "{state}/kubeconfig"), ("OTHER", "{state}/that-is-not-there")))
    settings = Settings(tmp_path, "run", project=project)
    Ledger(settings.state_directory).write(Record("run", "default", "docker", view="/depot/view"))
    (settings.state_directory / "kubeconfig").touch()
    assert list(access_commands(settings, PLAN))[-2:] == [
        "export PATH=/depot/view/bin:$PATH",
        "export KUBECONFIG=$PWD/.proving-ground/kubeconfig",
    ]


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        ([], ["pytest --pg-reuse"]),
        ([TEST], [f"pytest --pg-reuse '{TEST}'"]),
        (["a", "b"], ["pytest --pg-reuse a", "pytest --pg-reuse b"]),
        (["a", "b", "c", "d"], ["pytest --pg-reuse --last-failed"]),
    ],
)
def test_a_failed_test_is_run_again_by_one_command(tmp_path: Path, failed: list[str], expected: list[str]) -> None:
    assert list(rerun_commands(Settings(tmp_path, "run"), failed)) == expected


def test_the_command_says_again_what_differs_from_the_defaults(tmp_path: Path) -> None:
    settings = replace(Settings(tmp_path, "run"), topology="single", profile="big", provider="libvirt")
    settings = replace(settings, network_prefix="10.7.0", overrides="db.cpus=2 web.count=3")
    options = "--pg-topology single --pg-profile big --pg-provider libvirt --pg-network-prefix 10.7.0"
    options += " --pg-set=db.cpus=2 --pg-set=web.count=3"
    expected = f"pytest --pg-reuse {options} a"
    assert list(rerun_commands(settings, ["a"])) == [expected]


def test_without_machines_nothing_is_reused(tmp_path: Path) -> None:
    assert list(rerun_commands(Settings(tmp_path, "run"), ["a"], reuse=False)) == ["pytest a"]


@pytest.fixture
def project(planned: pytest.Pytester) -> pytest.Pytester:
    planned.makeconftest(FAILING)
    return planned


def test_a_failure_on_machines_that_are_up_ends_with_the_way_in(project: pytest.Pytester) -> None:
    Ledger(project.path / ".proving-ground").write(Record("run", "default", "docker"))
    project.makepyfile("def test_it(name): assert not name")
    result = project.runpytest("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(
        [
            "*how to reach them*",
            "  ssh -F .proving-ground/ssh.config kube-worker-01 *",
            "  pytest --pg-reuse *test_it*",
            "  proving-ground destroy",
        ]
    )
    result.stdout.no_fnmatch_line("*ssh.config etcd-01*")


@pytest.mark.parametrize(("up", "test"), [(False, "assert not name"), (True, "assert name")])
def test_nothing_is_said_without_machines_or_without_a_failure(project: pytest.Pytester, up: bool, test: str) -> None:
    if up:
        Ledger(project.path / ".proving-ground").write(Record("run", "default", "docker"))
    project.makepyfile(f"def test_it(name): {test}")
    project.runpytest("-p", "no:cacheprovider").stdout.no_fnmatch_line("*how to reach them*")
