"""Ready probes: HTTP and HTTPS with a new connection for each request or with one that is kept, and TCP."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from proving_ground.core.errors import UsageError

LONGEST = 200
"""Characters of an answer in the reason of a failure."""


class UnexpectedStatusError(Exception):
    """The server answered, but with a status that is no success; the text has the status and the answer's beginning."""


@dataclass
class HttpProbe:
    """Sends one request; succeeds if the status is 2xx or 3xx and the answer is complete.

    Attributes:
        url: ``http://`` or ``https://``, with host, port, path and query.
        kept: whether requests share one connection; after a failure the next request makes a new one.
        method: the request's method.
        headers: the request's headers.
        body: the request's body, or what makes one for each request.
        context: TLS with a certificate authority or a client's certificate of yours.
        timeout: seconds for each step: to connect, to send, to receive.
    """

    url: str
    kept: bool = False
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Callable[[], bytes | str] | None = None
    context: ssl.SSLContext | None = None
    timeout: float = 1.0
    _connection: HTTPConnection | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise UsageError(f"{self.url!r} is no URL of HTTP", where="HttpProbe", hint="https://HOST:PORT/PATH")
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def __call__(self) -> None:
        """Ask once.

        Raises:
            UnexpectedStatusError: the status is no success.
            OSError: no connection, no answer in time, or TLS failed.
            HTTPException: the answer is not HTTP, or the server ended the connection.
        """
        self._connection = self._connection or self._connect()
        try:
            body = self.body() if callable(self.body) else self.body
            self._connection.request(self.method, self._target, body, dict(self.headers))
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            self.close()
            raise
        if not self.kept:
            self.close()
        if not 200 <= answer.status < 400:
            words = " ".join(text.decode(errors="replace").split())[:LONGEST]
            raise UnexpectedStatusError(f"{answer.status} {answer.reason}" + (f": {words}" if words else ""))

    def _connect(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        host = str(parts.hostname)
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, timeout=self.timeout, context=self.context)
        return HTTPConnection(host, parts.port, timeout=self.timeout)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True)
class TcpProbe:
    """Makes a TCP connection and ends it.

    Attributes:
        host: name or address.
        port: the port.
        timeout: seconds in which the connection has to be made.
    """

    host: str
    port: int
    timeout: float = 1.0

    def __call__(self) -> None:
        """Connect once; raises OSError if that fails."""
        socket.create_connection((self.host, self.port), timeout=self.timeout).close()
