"""Send requests to TLS servers as different clients; distinguish a server's refusal from an error."""

from __future__ import annotations

import http.client
import select
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from proving_ground.core.timeouts import USUAL, Timeouts

TIMEOUT = 5.0
"""Seconds for one request; servers are on this host or near it."""

VERDICT_TIMEOUT = 1.0
"""Seconds in which a server that refuses a certificate sends its alert."""


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key, as files."""

    certificate: Path
    key: Path


class Verdict(StrEnum):
    """The result of a request; after an ``ERROR`` it is unknown whether the server accepts the client."""

    ANSWERED = "answered"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True)
class Answer:
    """A server's answer.

    Attributes:
        verdict: answered with HTTP, refused in the handshake, or error.
        status: HTTP status, 0 unless answered.
        body: HTTP body.
        reason: the TLS alert of a refusal, or the error.
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
    headers: Mapping[str, str] | None = None,
    server_name: str = "",
    timeouts: Timeouts = USUAL,
) -> Answer:
    """Send one HTTPS request; the server's certificate is always verified.

    Args:
        url: the request's URL.
        authority: certificate of the authority that has to have signed the server's certificate.
        identity: the client's certificate, or None for none.
        token: bearer token, or empty.
        method: HTTP method.
        body: the request's body.
        content_type: the body's type.
        headers: further headers of the request.
        server_name: name in the server's certificate, by default the host in ``url``.
        timeouts: of the machines that the server runs on.

    Returns:
        The answer; it contains transport errors, which are not raised.
    """
    context = ssl.create_default_context(cafile=str(authority))
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    parts = urlsplit(url)
    sent = {"Content-Type": content_type} if body is not None else {}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    connection = _Connection(parts.hostname or "", parts.port or 443, context, server_name, timeouts)
    try:
        connection.request(method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), body, sent | dict(headers or {}))
        response = connection.getresponse()
        return Answer(Verdict.ANSWERED, response.status, response.read().decode(errors="replace"))
    except ssl.SSLError as error:
        # An alert comes from the server; all other errors (its certificate does not verify) come from this side.
        verdict = Verdict.REFUSED if "ALERT" in (error.reason or "") else Verdict.ERROR
        return Answer(verdict, reason=error.reason or str(error))
    except (OSError, http.client.HTTPException) as error:
        return Answer(Verdict.ERROR, reason=f"{type(error).__name__}: {error}")
    finally:
        connection.close()


class _Connection(http.client.HTTPSConnection):
    """An HTTPS connection that can expect another name in the server's certificate than its host."""

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

        In TLS 1.3 the client's handshake ends before the server has checked the client's certificate. A client that
        writes at once may find a broken connection and miss the alert. A server that accepts sends a session ticket.
        """
        select.select([sock], [], [], self._timeouts.seconds(VERDICT_TIMEOUT))
        sock.settimeout(0)
        try:
            if sock.recv(1) == b"":
                raise ConnectionResetError("the server closed the connection right after the handshake")
        except ssl.SSLWantReadError:
            pass  # a session ticket or nothing: the server does not refuse
        finally:
            sock.settimeout(self._timeouts.seconds(TIMEOUT))
