"""Port-forwards: ready when handed out, gone afterwards, and clear when they cannot be."""

from __future__ import annotations

import http.client
import socket
import sys

import pytest

from proving_ground.kubernetes.port_forward import PortForwardError, forwarded

SERVER = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("a warning first", flush=True)
print(f"Forwarding from 127.0.0.1:{server.server_port} -> 80", flush=True)
server.serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + SERVER


def python(program: str) -> list[str]:
    return [sys.executable, "-u", "-c", program]


def status_of(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("HEAD", "/")
    status = connection.getresponse().status
    connection.close()
    return status


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_port_forward_answers_as_soon_as_it_is_handed_out() -> None:
    with forwarded(python(SERVER)) as endpoint:
        assert status_of(endpoint.port) == 200
        assert endpoint.url == f"http://127.0.0.1:{endpoint.port}"


def test_port_forward_is_gone_afterwards() -> None:
    with forwarded(python(SERVER)) as endpoint:
        assert listens(endpoint.port)
    assert not listens(endpoint.port)


def test_port_forward_is_gone_when_the_test_fails() -> None:
    with pytest.raises(RuntimeError, match="the test"), forwarded(python(SERVER)) as endpoint:
        raise RuntimeError("the test")
    assert not listens(endpoint.port)


def test_port_forward_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proving_ground.kubernetes.port_forward.STOP_TIMEOUT", 0.2)
    with forwarded(python(STUBBORN)) as endpoint:
        assert listens(endpoint.port)
    assert not listens(endpoint.port)


def test_port_forward_that_ends_says_why() -> None:
    program = "import sys; sys.exit('error: services \"frontend\" not found')"
    with pytest.raises(PortForwardError, match=r'ended before it was ready.*"frontend" not found'):
        forwarded(python(program)).__enter__()


def test_port_forward_that_says_nothing_is_given_up() -> None:
    program = "import time; print('waiting for a pod'); time.sleep(60)"
    with pytest.raises(PortForwardError, match="not ready in time; it said: waiting for a pod"):
        forwarded(python(program), ready_timeout=1.0).__enter__()


def test_port_forward_reads_on_so_that_its_pipe_never_fills() -> None:
    talkative = SERVER.replace("server.serve_forever()", 'print("x" * 1_000_000, flush=True)\nserver.serve_forever()')
    with forwarded(python(talkative)) as endpoint:
        assert status_of(endpoint.port) == 200
