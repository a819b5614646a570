"""A run about a cluster that is there: no machines, no topology, and tests that need machines are skipped."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TESTS = """
def test_the_cluster(pg_kube, pg_kubectl, pg_probes):
    assert (pg_kube.kubeconfig.name, pg_kube.context, pg_kube.timeouts.factor) == ("cluster", None, 3)
    assert pg_kubectl.command("get", "nodes")[1:] == [f"--kubeconfig={pg_kube.kubeconfig}", "get", "nodes"]
    assert pg_probes.image == "example.test/probe:1"
    manifest = pg_probes.manifest("a")
    assert manifest["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_a_machine(host):
    raise AssertionError


def test_machines(pg_machines):
    raise AssertionError
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project without topology and playbook, and without a word about the extra; and a kubeconfig."""
    for name in ("CI", "PG_TIMEOUT_FACTOR", "PG_REUSE", "PG_KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    pytester.makefile(".toml", pyproject="[tool.proving-ground]")
    (pytester.path / "cluster").touch()
    pytester.makepyfile(TESTS)
    return pytester


def test_tests_of_the_cluster_run_and_those_of_machines_are_skipped_with_the_reason(
    project: pytest.Pytester, put_on_path: object
) -> None:
    put_on_path("kubectl", "#!/bin/sh\n")  # type: ignore[operator]
    words = ["--pg-kubeconfig", "cluster", "--pg-probe-image", "example.test/probe:1", "--pg-timeout-factor", "3"]
    result = project.runpytest("-p", "no:cacheprovider", "-rs", *words)
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*proving ground: no machines: --pg-kubeconfig *cluster is of a cluster that is there",
            "*it needs machines: --pg-kubeconfig *cluster is of a cluster that is there*",
        ]
    )


def test_a_kubeconfig_that_does_not_exist_ends_the_run_in_one_line(project: pytest.Pytester) -> None:
    result = project.runpytest("-p", "no:cacheprovider", "--pg-kubeconfig", "cloud")
    assert result.ret == 11
    result.stderr.fnmatch_lines(["*error: --pg-kubeconfig: there is no file *cloud — name a kubeconfig*"])


def test_probes_without_an_image_say_which_option_names_one(project: pytest.Pytester) -> None:
    project.makepyfile("def test_a_probe(pg_probes): ...")
    result = project.runpytest("-p", "no:cacheprovider", "--pg-kubeconfig=cluster")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--pg-probe-image: probe pods need an image — name one that has the program probe*"])


def test_only_a_test_that_passes_has_to_compare_the_tables_that_it_declares(project: pytest.Pytester) -> None:
    """One that fails or is cut off before has one error, not two."""
    project.makepyfile(
        """
        import pytest

        def test_passes(pg_reachability): pg_reachability("never probed")

        def test_fails(pg_reachability):
            pg_reachability("not probed yet")
            raise AssertionError

        def test_is_cut_off(pg_reachability):
            pg_reachability("not probed yet")
            pytest.skip("late")
        """
    )
    result = project.runpytest("-p", "no:cacheprovider", "--pg-kubeconfig", "cluster")
    result.assert_outcomes(passed=1, failed=1, skipped=1, errors=1)
    result.stdout.fnmatch_lines(["E * declared and never probed: never probed"])
