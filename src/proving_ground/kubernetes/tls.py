"""Ask TLS servers as different clients; tell a server's refusal from a question that got no answer."""

from __future__ import annotations

import http.client
import select
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from proving_ground.core.timeouts import USUAL, Timeouts

TIMEOUT = 5.0
"""Seconds for one question: servers are on this host or next to it."""

VERDICT_TIMEOUT = 1.0
"""Seconds in which a server that refuses a certificate says so."""


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key, as files."""

    certificate: Path
    key: Path


class Verdict(StrEnum):
    """What became of a question; ``ERROR`` says nothing about whether the server would have let the client in."""

    ANSWERED = "answered"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        verdict: answered with HTTP, refused during the handshake, or error.
        status: HTTP status, 0 unless answered.
        body: HTTP body.
        reason: the TLS alert that refused, or why there was no answer.
    """

    verdict: Verdict
    status: int = 0
    body: str = ""
    reason: str = ""


def ask(
    url: str,
    *,
    authority: Path,
    identity: Identity | None = None,
    token: str = "",
    method: str = "GET",
    body: str | None = None,
    content_type: str = "application/json",
    server_name: str = "",
    timeouts: Timeouts = USUAL,
) -> Answer:
    """Send one HTTPS request; the server's certificate is always verified.

    Args:
        url: address of the server and path.
        authority: certificate of the authority that has to have signed the server's.
        identity: what the client shows, or None for nothing.
        token: bearer token, or nothing.
        method: of HTTP.
        body: of the request.
        content_type: of the body.
        server_name: name that the server's certificate has to bear, by default the host in ``url``.
        timeouts: of the machines that the server runs on.

    Returns:
        The answer; transport errors are reported in it, not raised.
    """
    context = ssl.create_default_context(cafile=str(authority))
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    parts = urlsplit(url)
    headers = {"Content-Type": content_type} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = _Connection(parts.hostname or "", parts.port or 443, context, server_name, timeouts)
    try:
        connection.request(method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), body, headers)
        response = connection.getresponse()
        return Answer(Verdict.ANSWERED, response.status, response.read().decode(errors="replace"))
    except ssl.SSLError as error:
        # "alert" is what the other side said; all else (its certificate does not verify) is this side's finding.
        verdict = Verdict.REFUSED if "ALERT" in (error.reason or "") else Verdict.ERROR
        return Answer(verdict, reason=error.reason or str(error))
    except (OSError, http.client.HTTPException) as error:
        return Answer(Verdict.ERROR, reason=f"{type(error).__name__}: {error}")
    finally:
        connection.close()


class _Connection(http.client.HTTPSConnection):
    """An HTTPS connection that may expect another name in the server's certificate than the one it connects to."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, server_name: str, timeouts: Timeouts) -> None:
        super().__init__(host, port, timeout=timeouts.seconds(TIMEOUT), context=context)
        self._timeouts = timeouts
        self._tls = context
        self._server_name = server_name or host

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server_name)
        if self.sock.version() == "TLSv1.3":
            self._await_verdict(self.sock)

    def _await_verdict(self, sock: ssl.SSLSocket) -> None:
        """Give the server time to refuse.

        In TLS 1.3 the client is done before the server has looked at its certificate. Whoever writes at once may find
        the connection broken and the alert that tells why lost. A server that accepts sends a session ticket instead.
        """
        select.select([sock], [], [], self._timeouts.seconds(VERDICT_TIMEOUT))
        sock.settimeout(0)
        try:
            if sock.recv(1) == b"":
                raise ConnectionResetError("closed after the handshake without a word")
        except ssl.SSLWantReadError:
            pass  # the ticket, or nothing: it does not refuse
        finally:
            sock.settimeout(self._timeouts.seconds(TIMEOUT))
