"""Which containers are findings: an image that the registry may exchange, and root that nothing needs."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.kubernetes.workload_findings import is_pinned, of_pod

DIGEST = "sha256:" + "0" * 64


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod without a finding, but for what is given."""
    usual = {"name": "web", "image": "web:1.2", "securityContext": {"runAsNonRoot": True}}
    return {
        "metadata": {"namespace": "shop", "name": "web-0"},
        "spec": {"nodeName": "worker-01", "containers": [usual | (container or {})], **spec},
    }


def found(shown: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding.host, finding.what, finding.subject) for finding in of_pod(shown)]


@pytest.mark.parametrize("image", ["web:1.2", "registry:5000/web:1.2", f"web@{DIGEST}", f"web:latest@{DIGEST}"])
def test_version_or_digest_is_a_pin(image: str) -> None:
    assert is_pinned(image)


@pytest.mark.parametrize("image", ["web", "web:latest", "registry:5000/web", "registry:5000/team/web:latest", ""])
def test_latest_or_nothing_is_no_pin(image: str) -> None:
    assert not is_pinned(image)


def test_image_without_a_pin_is_told_with_its_container() -> None:
    assert found(pod({"image": "web:latest"})) == [("worker-01", "image without a pin", "shop/web-0 web")]
    first = {"name": "first", "image": "busybox", "securityContext": {"runAsUser": 1000}}
    assert found(pod(initContainers=[first])) == [("worker-01", "image without a pin", "shop/web-0 first")]


@pytest.mark.parametrize("context", [None, {}, {"runAsUser": 0}, {"runAsNonRoot": False}])
def test_root_that_nothing_needs_is_told(context: dict[str, Any] | None) -> None:
    assert found(pod({"securityContext": context})) == [("worker-01", "container as root", "shop/web-0 web")]


@pytest.mark.parametrize(
    ("container", "spec"),
    [
        ({"runAsUser": 1000}, {}),
        ({}, {"securityContext": {"runAsNonRoot": True}}),
        ({"privileged": True}, {}),
        ({"capabilities": {"add": ["NET_ADMIN"]}}, {}),
        ({}, {"hostNetwork": True}),
        ({}, {"volumes": [{"name": "socket", "hostPath": {"path": "/run"}}]}),
    ],
)
def test_another_user_and_what_only_root_can_use_are_no_findings(
    container: dict[str, Any], spec: dict[str, Any]
) -> None:
    assert found(pod({"securityContext": container}, **spec)) == []


def test_the_containers_own_user_counts_before_its_pods() -> None:
    shown = pod({"securityContext": {"runAsUser": 0}}, securityContext={"runAsUser": 1000})
    assert [what for _, what, _ in found(shown)] == ["container as root"]


def test_a_pod_that_ends_is_left_alone() -> None:
    shown = pod({"image": "web"})
    shown["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z"
    assert found(shown) == []
