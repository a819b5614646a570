"""Forward a port of a pod or service to a free port of this host, until the test ends."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

import pytest

from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.kubernetes.client import Kubectl
from proving_ground.process.processes import end, in_session, process_of

READY_TIMEOUT = 15.0
"""Seconds in which kubectl has to report that it forwards."""

STOP_TIMEOUT = 3.0
"""Seconds that kubectl gets to end by itself."""

_FORWARDING = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+) -> \d+")


class PortForwardError(Exception):
    """kubectl could not forward the port: the cluster is broken, or the name is wrong."""


@dataclass(frozen=True)
class Endpoint:
    """The forwarded port's address on this host, and the cluster's time-outs."""

    host: str
    port: int
    timeouts: Timeouts = USUAL

    @property
    def url(self) -> str:
        """The URL for a browser, without a trailing slash."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def forwarded(
    command: Sequence[str], *, ready_timeout: float = READY_TIMEOUT, timeouts: Timeouts = USUAL
) -> Iterator[Endpoint]:
    """Run a ``port-forward`` command in this context.

    Args:
        command: prints ``Forwarding from 127.0.0.1:PORT -> …`` when it listens, and keeps running.
        ready_timeout: seconds in which it has to print that line, on machines of the usual speed.
        timeouts: of the machines that the cluster runs on.

    Raises:
        PortForwardError: the command ended or printed no such line in time; the text has its output.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # because of PIPE
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    session = process_of(process.pid)
    try:
        port = _port(lines, command, time.monotonic() + timeouts.seconds(ready_timeout))
        yield Endpoint("127.0.0.1", port, timeouts)
    finally:
        end(partial(in_session, session), grace=STOP_TIMEOUT)
        process.wait(STOP_TIMEOUT)
        reader.join(STOP_TIMEOUT)
        process.stdout.close()


def _read(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    """Put every line into the queue, since kubectl would block on a full pipe; None marks the end."""
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def _port(lines: queue.Queue[str | None], command: Sequence[str], deadline: float) -> int:
    said: list[str] = []
    while True:
        words = " / ".join(said) or "nothing"
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise PortForwardError(f"`{' '.join(command)}` was not ready in time; it said: {words}") from None
        if line is None:
            raise PortForwardError(f"`{' '.join(command)}` ended before it was ready; it said: {words}")
        match = _FORWARDING.match(line)
        if match:
            return int(match.group(1))
        said.append(line)


PortForward = Callable[[str, str, int], Endpoint]


@pytest.fixture
def pg_port_forward(pg_kubectl: Kubectl) -> Iterator[PortForward]:
    """Forwards ``port_forward(namespace, "service/frontend", 80)`` until the test ends."""
    with ExitStack() as stack:

        def forward(namespace: str, target: str, port: int) -> Endpoint:
            # ":80" lets the system choose a free local port: two runs cannot collide.
            arguments = ("port-forward", f"--namespace={namespace}", "--address=127.0.0.1", target, f":{port}")
            return stack.enter_context(forwarded(pg_kubectl.command(*arguments), timeouts=pg_kubectl.timeouts))

        yield forward
