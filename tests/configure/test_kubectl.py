"""kubectl on the controller: its context works from a file of its own, and the user's own is left alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fixtures.cluster_nodes import kubernetes_nodes
from proving_ground.core.topology import Topology
from proving_ground.depot import View
from proving_ground.kubernetes.client import CONTEXT, NOT_SIMULATED, Kubectl
from proving_ground.plugin.ansible_adhoc import AdHoc

pytestmark = [pytest.mark.order(120), pytest.mark.role("configure/kubectl", "configure/kube-worker")]


@pytest.mark.smoke
def test_kubectl_lists_the_planned_nodes(pg_kubectl: Kubectl, pg_topology: Topology) -> None:
    listed = {
        item["metadata"]["name"] for item in pg_kubectl.json("get", "nodes", f"--selector={NOT_SIMULATED}")["items"]
    }
    assert listed == {node.name for node in kubernetes_nodes(pg_topology)}


def test_kubectl_and_server_are_of_one_version(pg_kubectl: Kubectl, pg_depot_view: View) -> None:
    versions = pg_kubectl.json("version")
    pinned = pg_depot_view.versions["kubernetes"].removeprefix("v")
    assert versions["clientVersion"]["gitVersion"].removeprefix("v") == pinned
    assert versions["serverVersion"]["gitVersion"].removeprefix("v") == pinned


def test_kubectl_context_is_the_one_in_use(pg_kubectl: Kubectl) -> None:
    # Without --context, as a user runs it with KUBECONFIG set.
    command = [str(pg_kubectl.path), "config", "current-context"]
    shown = subprocess.run(
        command,
        env={**os.environ, "KUBECONFIG": str(pg_kubectl.kubeconfig)},
        capture_output=True,
        text=True,
        check=True,
        timeout=pg_kubectl.timeouts.seconds(20),
    )
    assert shown.stdout.strip() == CONTEXT


@pytest.mark.role("configure/kube-components")
def test_kubectl_runs_commands_in_pods_and_shows_their_logs(pg_kubectl: Kubectl) -> None:
    server = ("--namespace=kube-system", "deployment/coredns")
    version = pg_kubectl.run("exec", *server, "--", "/coredns", "-version")
    assert version.startswith("CoreDNS-"), version
    logs = pg_kubectl.run("logs", "--tail=1", *server)
    assert logs.strip(), "CoreDNS has logged nothing, or its log cannot be read"


def test_kubeconfig_is_its_owners_alone(pg_kubectl: Kubectl) -> None:
    assert f"{pg_kubectl.kubeconfig.stat().st_mode & 0o777:o}" == "600"


def test_kubectl_leaves_the_users_own_configuration_alone(pg_ansible: AdHoc, tmp_path: Path) -> None:
    """The role runs once more for a user who has configurations at both places where kubectl looks by itself."""
    own, named, written = tmp_path / ".kube" / "config", tmp_path / "named", tmp_path / "written"
    own.parent.mkdir()
    content = "apiVersion: v1\nkind: Config\ncurrent-context: my-own\n"
    for path in (own, named):
        path.write_text(content, encoding="utf-8")
    pg_ansible(
        "localhost",
        "ansible.builtin.include_role",
        {"name": "configure/kubectl"},
        extra_vars={"kubectl_kubeconfig": str(written)},
        env={"HOME": str(tmp_path), "KUBECONFIG": str(named)},
    )
    assert CONTEXT in written.read_text(encoding="utf-8"), "the role wrote nothing, so it had nothing to leave alone"
    assert [path.read_text(encoding="utf-8") for path in (own, named)] == [content, content]
    assert [path.name for path in own.parent.iterdir()] == ["config"]
