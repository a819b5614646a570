"""What kubelets report of a command, and kubectl's command line."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from proving_ground.kubernetes.client import CONTEXT, Kube, Kubectl
from proving_ground.kubernetes.execution import ExecutionError, exit_code

FAILED = '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"%d"}]}}'


@pytest.mark.parametrize(("status", "code"), [('{"status":"Success"}', 0), (FAILED % 1, 1), (FAILED % 137, 137)])
def test_exit_code_is_the_commands_own(status: str, code: int) -> None:
    assert exit_code(status, "ns/pod") == code


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("", "the connection broke"),
        ('{"status":"Failure","reason":"InternalError","message":"no such file: probe"}', "no such file: probe"),
    ],
)
def test_command_that_never_ran_is_noexit_code(status: str, words: str) -> None:
    with pytest.raises(ExecutionError, match=f"ns/pod: {words}"):
        exit_code(status, "ns/pod")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Prints its arguments as JSON, or fails when told to."""
    path = tmp_path / "kubectl"
    path.write_text('#!/bin/sh\n[ "$3" = fail ] && { echo "no such thing" >&2; exit 1; }\necho "[\\"$*\\"]"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_kubectl_uses_the_clusters_own_configuration(program: Path) -> None:
    kubectl = Kubectl(program, Path("/state/kubeconfig"))
    assert kubectl.json("get", "nodes") == ["--kubeconfig=/state/kubeconfig --context=proving-ground get nodes -o json"]


def test_kubectl_that_fails_says_with_which_words(program: Path) -> None:
    with pytest.raises(AssertionError, match="kubectl fail failed: no such thing"):
        Kubectl(program, Path("/state/kubeconfig")).run("fail")


@pytest.fixture
def api_server() -> Iterator[ThreadingHTTPServer]:
    """Answers each request with an empty namespace, and keeps its connections."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            clients.append(self.client_address)
            body = json.dumps({"kind": "Namespace", "metadata": {}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    clients: list[tuple[str, int]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.clients = clients  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_reconnected_client_keeps_no_connection_to_the_server_before(
    api_server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{api_server.server_port}"}}
    context = {"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps({"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {"token": "t"}}]})
    )
    kube = Kube(kubeconfig)
    for _ in range(2):
        kube.core.read_namespace("default")
    kube.reconnect()
    kube.core.read_namespace("default")
    first, second, third = api_server.clients  # type: ignore[attr-defined]
    assert first == second, "the client keeps no connection, so that there is nothing to close"
    assert third != second
