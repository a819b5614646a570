"""What the API is asked: pods that are not made, objects without their secrets, and what is ignored."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.benchmark.api import Api, collect, listed, without_ignored
from proving_ground.kubernetes.benchmark.collected import RESOURCES
from proving_ground.kubernetes.benchmark.site import Site


class Server:
    """Answers every request alike, and keeps what it was asked."""

    def __init__(self, status: int, answer: Any) -> None:
        self.status, self.answer = status, answer
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, **options: Any) -> Any:
        self.asked.append((method, url, options))
        data = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return SimpleNamespace(status=self.status, data=data)


def cluster(server: Server, token: str | None = None) -> Any:
    return SimpleNamespace(
        configuration=SimpleNamespace(host="https://here", get_api_key_with_prefix=lambda _: token),
        api_client=lambda: SimpleNamespace(rest_client=SimpleNamespace(pool_manager=server)),
        timeouts=SimpleNamespace(seconds=lambda seconds: seconds),
    )


def api(server: Server, token: str | None = None) -> Api:
    return Api(cluster(server, token))


def test_pod_is_asked_about_and_not_made() -> None:
    server = Server(201, {})
    assert api(server).refuses("shop", {"kind": "Pod"}) == ""
    ((method, url, options),) = server.asked
    assert (method, url, options["body"]) == (
        "POST",
        "https://here/api/v1/namespaces/shop/pods?dryRun=All",
        '{"kind": "Pod"}',
    )
    assert options["timeout"] > 0


def test_refusal_of_admission_is_its_message() -> None:
    assert api(Server(403, {"message": "violates PodSecurity"})).refuses("shop", {}) == "violates PodSecurity"


@pytest.mark.parametrize("status", [200, 401, 422, 500])
def test_any_other_answer_to_a_pod_is_an_error(status: int) -> None:
    with pytest.raises(HarnessError, match=f"shop answers {status} to a pod: why"):
        api(Server(status, {"message": "why"})).refuses("shop", {})


def test_list_is_asked_for_with_the_users_token() -> None:
    server = Server(200, {"items": []})
    assert api(server, "Bearer abc").get("/api/v1/pods", fieldSelector="type=a/b") == {"items": []}
    ((method, url, options),) = server.asked
    assert (method, url) == ("GET", "https://here/api/v1/pods?fieldSelector=type%3Da%2Fb")
    assert options["headers"]["Authorization"] == "Bearer abc"


def test_simulated_nodes_are_asked_nothing_since_they_have_no_kubelet() -> None:
    server = Server(200, {"items": []})
    collect(cluster(server), Site({}), {})
    nodes = [url for _, url, _ in server.asked if "/api/v1/nodes" in url]
    assert nodes == ["https://here/api/v1/nodes?labelSelector=type%21%3Dkwok"]


@pytest.mark.parametrize("answer", [{"items": None}, {"items": []}])
def test_empty_list_is_one(answer: Any) -> None:
    assert listed(api(Server(200, answer)), RESOURCES["secrets"]) == []


@pytest.mark.parametrize(("status", "answer"), [(403, {"message": "no"}), (200, b"<html>"), (404, {})])
def test_list_that_is_refused_is_an_error(status: int, answer: Any) -> None:
    with pytest.raises(HarnessError, match="/api/v1/pods"):
        api(Server(status, answer)).get("/api/v1/pods")


def test_contents_of_secrets_and_config_maps_are_not_asked_for() -> None:
    secret = [each for each in RESOURCES.values() if "secrets" in each.path or "configmaps" in each.path]
    assert len(secret) == 4
    assert all(each.metadata_only for each in secret)


def test_namespaces_that_end_or_are_ignored_or_are_made_meanwhile_are_left_out_with_what_is_in_them() -> None:
    """All lists are read at the same time: one may have an object of a namespace that came after their list."""

    def named(name: str, **metadata: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, **metadata}}

    objects = {
        "namespaces": [
            named("shop"),
            named("mesh", labels={"made-by": "tests"}),
            named("old", deletionTimestamp="2026-01-01T00:00:00Z"),
        ],
        "pods": [
            named("a", namespace="shop"),
            named("b", namespace="mesh"),
            named("c", namespace="old"),
            named("d", namespace="new"),
        ],
        "clusterroles": [named("mesh")],
    }
    found = without_ignored(objects, Site({}, ignored_labels={"made-by": "tests"}))
    assert {key: [each["metadata"]["name"] for each in value] for key, value in found.items()} == {
        "namespaces": ["shop"],
        "pods": ["a"],
        "clusterroles": ["mesh"],
    }
