"""kubectl on the controller: its context works from a file of its own, and the user's own is left alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fixtures.ad_hoc import AdHoc
from fixtures.depot import View
from fixtures.kube import CONTEXT, Kubectl
from fixtures.nodes import kubernetes_nodes
from fixtures.topology import Topology

pytestmark = [pytest.mark.order(120), pytest.mark.role("configure/kubectl", "configure/kube-worker")]


@pytest.mark.smoke
def test_kubectl_lists_the_planned_nodes(kubectl: Kubectl, topology: Topology) -> None:
    listed = {item["metadata"]["name"] for item in kubectl.json("get", "nodes")["items"]}
    assert listed == {node.name for node in kubernetes_nodes(topology)}


def test_kubectl_and_server_are_of_one_version(kubectl: Kubectl, view: View) -> None:
    versions = kubectl.json("version")
    pinned = view.versions["kubernetes"].removeprefix("v")
    assert versions["clientVersion"]["gitVersion"].removeprefix("v") == pinned
    assert versions["serverVersion"]["gitVersion"].removeprefix("v") == pinned


def test_kubectl_context_is_the_one_in_use(kubectl: Kubectl) -> None:
    # Without --context, as a user runs it with KUBECONFIG set.
    command = [str(kubectl.path), "config", "current-context"]
    shown = subprocess.run(
        command, env={**os.environ, "KUBECONFIG": str(kubectl.kubeconfig)}, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == CONTEXT


@pytest.mark.role("configure/kube-components")
def test_kubectl_runs_commands_in_pods_and_shows_their_logs(kubectl: Kubectl) -> None:
    server = ("--namespace=kube-system", "deployment/coredns")
    version = kubectl.run("exec", *server, "--", "/coredns", "-version")
    assert version.startswith("CoreDNS-"), version
    logs = kubectl.run("logs", "--tail=1", *server)
    assert logs.strip(), "CoreDNS has logged nothing, or its log cannot be read"


def test_kubeconfig_is_its_owners_alone(kubectl: Kubectl) -> None:
    assert f"{kubectl.kubeconfig.stat().st_mode & 0o777:o}" == "600"


def test_kubectl_leaves_the_users_own_configuration_alone(ansible: AdHoc, tmp_path: Path) -> None:
    """The role runs once more for a user who has configurations at both places where kubectl looks by itself."""
    own, named, written = tmp_path / ".kube" / "config", tmp_path / "named", tmp_path / "written"
    own.parent.mkdir()
    content = "apiVersion: v1\nkind: Config\ncurrent-context: my-own\n"
    for path in (own, named):
        path.write_text(content, encoding="utf-8")
    role = ("-m", "ansible.builtin.include_role", "-a", "name=configure/kubectl")
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(named)}
    ansible("localhost", *role, "-e", f"kubectl_kubeconfig={written}", env=environment)
    assert CONTEXT in written.read_text(encoding="utf-8"), "the role wrote nothing, so it had nothing to leave alone"
    assert [path.read_text(encoding="utf-8") for path in (own, named)] == [content, content]
    assert [path.name for path in own.parent.iterdir()] == ["config"]
