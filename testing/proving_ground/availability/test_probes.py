"""The ready probes against a server of their own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from proving_ground.availability.probes import HttpProbe, TcpProbe, UnexpectedStatusError
from proving_ground.core.errors import UsageError


@dataclass
class Server:
    """A server that remembers requests and by which connections they came."""

    port: int = 0
    status: int = 200
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.requests.append((self.command, self.path, body))
            found.connections.add(self.client_address)
            self.send_response(found.status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"words")

        do_GET = do_PUT = answer  # noqa: N815 - the names that the class asks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        found.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield found
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("kept", "connections"), [(False, 3), (True, 1)])
def test_a_request_has_a_connection_of_its_own_or_the_kept_one(server: Server, kept: bool, connections: int) -> None:
    probe = HttpProbe(f"{server.url}/healthz?verbose", kept=kept)
    for _ in range(3):
        probe()
    probe.close()
    assert server.requests == [("GET", "/healthz?verbose", b"")] * 3
    assert len(server.connections) == connections


def test_a_probe_can_write_and_make_each_body(server: Server) -> None:
    bodies = iter(["first", "second"])
    probe = HttpProbe(server.url, method="PUT", body=lambda: next(bodies))
    probe()
    probe()
    assert server.requests == [("PUT", "/", b"first"), ("PUT", "/", b"second")]


def test_a_status_that_is_no_success_is_a_failure_with_the_answer_and_keeps_the_connection(server: Server) -> None:
    probe = HttpProbe(server.url, kept=True)
    server.status = 503
    with pytest.raises(UnexpectedStatusError, match="503 Service Unavailable: words"):
        probe()
    server.status = 302
    probe()
    probe.close()
    assert len(server.connections) == 1


def test_nobody_there_is_a_failure_for_http_and_tcp(server: Server) -> None:
    TcpProbe("127.0.0.1", server.port)()
    with pytest.raises(ConnectionRefusedError):
        TcpProbe("127.0.0.1", 1)()
    with pytest.raises(ConnectionRefusedError):
        HttpProbe("http://127.0.0.1:1")()


def test_after_a_failure_a_kept_connection_is_made_anew(server: Server) -> None:
    probe = HttpProbe(server.url, kept=True)
    probe()
    assert probe._connection is not None
    assert probe._connection.sock is not None
    probe._connection.sock.shutdown(2)  # as if the server had ended it
    with pytest.raises(ConnectionError):
        probe()
    probe()
    probe.close()
    assert len(server.connections) == 2


def test_https_is_checked_against_the_given_authority(server: Server) -> None:
    with pytest.raises(ssl.SSLError):
        HttpProbe(f"https://127.0.0.1:{server.port}", context=ssl.create_default_context())()


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://127.0.0.1", "https:///path"])
def test_what_is_no_url_of_http_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL of HTTP"):
        HttpProbe(url)
