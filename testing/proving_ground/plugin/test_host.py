"""The fixture ``host`` is one machine of the topology: of the groups that a test names, or each of all."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest


def test_all(host): pass


@pytest.mark.hosts("kube_worker", "etcd")
def test_groups(host): pass
"""


def test_without_a_marker_host_is_every_machine_of_the_topology(planned: pytest.Pytester) -> None:
    planned.makepyfile(TESTS)
    items, _ = planned.inline_genitems()
    assert [item.name for item in items if item.name.startswith("test_all")] == [
        f"test_all[{name}]" for name in ("etcd-01", "kube-master-01", "kube-worker-01", "kube-worker-02")
    ]


def test_with_a_marker_host_is_every_machine_of_its_groups(planned: pytest.Pytester) -> None:
    planned.makepyfile(TESTS)
    items, _ = planned.inline_genitems()
    assert [item.name for item in items if item.name.startswith("test_groups")] == [
        f"test_groups[{name}]" for name in ("kube-worker-01", "kube-worker-02", "etcd-01")
    ]


@pytest.mark.parametrize(
    ("words", "variable", "expected"),
    [
        (["--pg-set", "kube-worker.count=4", "--pg-set=etcd.count=3"], "", (3, 4)),
        ([], "kube-worker.count=1 etcd.count=2", (2, 1)),
        (["--pg-set", "etcd.count=3"], "kube-worker.count=1", (3, 2)),
    ],
)
def test_there_are_as_many_machines_as_the_command_line_or_else_the_variable_says(
    planned: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variable: str,
    expected: tuple[int, int],
) -> None:
    planned.makepyfile(TESTS)
    monkeypatch.setenv("PG_SET", variable)
    result = planned.runpytest("-p", "no:cacheprovider", "--collect-only", "-q", "-k", "test_all", *words)
    names = [line.rpartition("[")[2] for line in result.outlines if "::" in line]
    assert tuple(sum(name.startswith(kind) for name in names) for kind in ("etcd", "kube-worker")) == expected


def test_a_value_that_no_plan_can_have_ends_the_run_in_one_line(planned: pytest.Pytester) -> None:
    planned.makepyfile(TESTS)
    result = planned.runpytest("-p", "no:cacheprovider", "--pg-set", "kube-wroker.count=4")
    assert result.ret == 11
    result.stderr.fnmatch_lines(
        ["*--pg-set kube-wroker.count=4: no kind of machines is called kube-wroker — did you *"]
    )


def test_a_matrix_of_images_makes_a_test_of_each(planned: pytest.Pytester) -> None:
    (planned.path / "topology" / "default.yml").unlink()
    planned.makefile(".toml", pyproject='[tool.proving-ground]\nsteps = false\nimages = ["debian:12", "debian:13"]')
    planned.makepyfile("def test_all(host): pass")
    items, _ = planned.inline_genitems()
    assert [item.name for item in items] == ["test_all[debian-12]", "test_all[debian-13]"]
    chosen = planned.runpytest_inprocess("-p", "no:cacheprovider", "--collect-only", "-q", "-k", "debian-13")
    assert [line.rpartition("::")[2] for line in chosen.outlines if "::" in line] == ["test_all[debian-13]"]
