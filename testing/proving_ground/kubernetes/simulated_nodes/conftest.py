"""A program in place of KWOK's, and an API that calls every node Ready."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .fake_api import FakeApi

KWOK = """#!/bin/sh
echo "started $*"
exec sleep 60
"""


@pytest.fixture
def kwok(tmp_path: Path) -> Path:
    """A program that says its arguments and waits."""
    program = tmp_path / "kwok"
    program.write_text(KWOK, encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def api() -> FakeApi:
    """An API with a real node, a pod on it and its lease."""
    made = FakeApi()
    made.add("/api/v1/nodes/real", status={})
    made.add("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/real")
    made.add("/api/v1/namespaces/default/pods/real", spec={"nodeName": "real"})
    made.add("/api/v1/namespaces/default/pods/waiting", spec={})
    made.add("/api/v1/namespaces/default/events/real", involvedObject={"kind": "Node", "name": "real"})
    return made


@pytest.fixture
def kubeconfig(api: FakeApi, tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of the API, which is served."""
    with api.served(tmp_path) as path:
        yield path
