"""The option, the marker, and which tests of a run have simulated nodes beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.kubernetes.simulated_nodes.simulation import Simulation

from .fake_api import FakeApi

pytest_plugins = ["pytester"]

TESTS = """
import pytest
from pathlib import Path


@pytest.fixture(scope="session")
def pg_kwok():
    return Path(__file__).with_name("kwok")


def test_the_cluster(pg_kube):
    print("nodes:", len(pg_kube.core.list_node().items), "real:", len(pg_kube.nodes()))


@pytest.mark.scale
def test_many(pg_simulated_nodes):
    print("simulated:", len(pg_simulated_nodes.names))


def test_something_else():
    pass
"""


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, kwok: Path, kubeconfig: Path
) -> pytest.Pytester:
    """A project that tests a cluster that is there."""
    for name in ("CI", "PG_TIMEOUT_FACTOR", "PG_REUSE", "PG_SIMULATED_NODES", "PG_PROBE_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PG_KUBECONFIG", str(kubeconfig))
    monkeypatch.setattr("proving_ground.kubernetes.simulated_nodes.simulation.SETTLE_SECONDS", 0.01)
    pytester.makefile(".toml", pyproject="[tool.proving-ground]")
    pytester.makepyfile(TESTS)
    kwok.rename(pytester.path / "kwok")
    return pytester


def test_tests_of_the_cluster_have_them_and_they_are_gone_afterwards(project: pytest.Pytester, api: FakeApi) -> None:
    before = set(api.objects)
    result = project.runpytest("-p", "no:cacheprovider", "-rP", "--pg-simulated-nodes", "5")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*5 simulated nodes are Ready after *"])
    result.stdout.fnmatch_lines(["nodes: 6 real: 1", "simulated: 5"])
    result.stdout.fnmatch_lines(["*the simulated nodes are gone after *"])
    assert set(api.objects) == before


def test_without_the_option_there_are_none_and_tests_about_them_say_so(project: pytest.Pytester, api: FakeApi) -> None:
    result = project.runpytest("-p", "no:cacheprovider", "-rPs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["nodes: 1 real: 1"])
    result.stdout.fnmatch_lines(["*it is about simulated nodes: --pg-simulated-nodes says how many"])
    assert not [each for each in api.asked if each.startswith(("POST", "DELETE"))]


def test_no_node_is_made_for_tests_without_a_cluster(project: pytest.Pytester, api: FakeApi) -> None:
    result = project.runpytest("-p", "no:cacheprovider", "-k", "something_else", "--pg-simulated-nodes", "5")
    result.assert_outcomes(passed=1, deselected=2)
    assert api.asked == []


def test_what_a_killed_run_has_left_is_gone_before_the_next_test(project: pytest.Pytester, api: FakeApi) -> None:
    before = set(api.objects)
    options = ("-p", "no:cacheprovider", "-rP")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "remove", lambda _: 0.0)
        project.runpytest(*options, "--pg-simulated-nodes", "5").assert_outcomes(passed=3)
    assert set(api.objects) != before
    project.runpytest(*options, "-k", "the_cluster").stdout.fnmatch_lines(["nodes: 1 real: 1"])
    assert set(api.objects) == before


@pytest.mark.parametrize("value", ["many", "-1", "1001", "1.5"])
def test_a_number_that_is_none_ends_the_run_in_one_line(project: pytest.Pytester, value: str) -> None:
    result = project.runpytest("-p", "no:cacheprovider", f"--pg-simulated-nodes={value}")
    assert result.ret == 11
    line = f"*error: --pg-simulated-nodes: '{value}' is no number of nodes — KWOK's controller is made for up to 1000*"
    result.stderr.fnmatch_lines([line])
