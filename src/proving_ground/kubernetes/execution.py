"""Commands in containers: how one is started, and what its end means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # importing the client takes most of a second: functions import it when a test needs a cluster
    from kubernetes import client


@dataclass(frozen=True)
class Execution:
    """The result of a command in a container: both outputs and the exit code."""

    stdout: str
    stderr: str
    exit_code: int


class ExecutionError(Exception):
    """A command in a container did not run, or not to its end; so it has no result."""


def open_session(
    api: client.ApiClient,
    namespace: str,
    pod: str,
    command: Sequence[str],
    *,
    container: str | None,
    stdin: bool,
    timeout: float,
) -> Any:
    """Start a command in a pod, and return its session: ``kubernetes.stream.ws_client.WSClient``; close it.

    Args:
        api: a client that nobody else uses.
        namespace: the pod's namespace.
        pod: the pod's name.
        command: program and arguments, without a shell.
        container: the container's name, or None for the pod's first.
        stdin: whether the command reads what the caller writes.
        timeout: seconds in which it has to start.

    Raises:
        ExecutionError: it did not start.
    """
    from kubernetes import client
    from kubernetes.stream import stream
    from websocket import setdefaulttimeout

    setdefaulttimeout(timeout)  # the client does not pass its time-out to websocket
    options = {"container": container} if container else {}
    try:
        return stream(
            client.CoreV1Api(api).connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=list(command),
            stdin=stdin,
            stdout=True,
            stderr=True,
            _preload_content=False,
            **options,
        )
    except client.ApiException as error:
        reason = " ".join(str(error.reason).split())
        raise ExecutionError(f"{namespace}/{pod}: cannot run {command[0]}: {reason}") from error


def exit_code(status: str, where: str) -> int:
    """Return the exit code in the Status object that the kubelet sends after a command has ended.

    Raises:
        ExecutionError: the command did not end by itself; names ``where``.
    """
    try:
        report: dict[str, Any] = json.loads(status)
    except json.JSONDecodeError as error:
        raise ExecutionError(f"{where}: the connection broke before the command ended") from error
    if report.get("status") == "Success":
        return 0
    for cause in (report.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ExecutionError(f"{where}: {report.get('message', status)}")
