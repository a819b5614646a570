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
