"""Access the cluster under test: its API as the administrator, commands in pods, and kubectl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proving_ground.core.timeouts import USUAL, Timeouts
from proving_ground.kubernetes.execution import Execution, ExecutionError, exit_code, open_session

if TYPE_CHECKING:  # importing the client takes most of a second: functions import it when a test needs a cluster
    from kubernetes import client

CONTEXT = "proving-ground"
REQUEST_TIMEOUT = 15.0
"""Time-out of a request to the API server, in seconds."""

NOT_SIMULATED = "type!=kwok"
"""The label selector of nodes that are machines, and none that KWOK simulates."""


class Kube:
    """The cluster as its administrator sees it.

    Args:
        kubeconfig: the file with server and credentials.
        timeouts: of the machines that the cluster runs on.
        context: the context of the file; None for its current one.
    """

    def __init__(self, kubeconfig: Path, timeouts: Timeouts = USUAL, context: str | None = CONTEXT) -> None:
        self.kubeconfig = kubeconfig
        self.timeouts = timeouts
        self.context = context

    @cached_property
    def core(self) -> Any:
        """``client.CoreV1Api``: pods, services, nodes, secrets, namespaces.

        Typed as Any: the generated classes have only optional fields, and do not accept mappings as manifests.
        """
        from kubernetes import client

        return client.CoreV1Api(self.api_client())

    def nodes(self) -> list[Any]:
        """Return the nodes that are machines, as ``client.V1Node``: simulated ones are left out."""
        return list(self.core.list_node(label_selector=NOT_SIMULATED).items)

    @cached_property
    def apps(self) -> Any:
        """``client.AppsV1Api``: deployments."""
        from kubernetes import client

        return client.AppsV1Api(self.api_client())

    @cached_property
    def networking(self) -> Any:
        """``client.NetworkingV1Api``: network policies."""
        from kubernetes import client

        return client.NetworkingV1Api(self.api_client())

    @cached_property
    def configuration(self) -> client.Configuration:
        """Server, certificates and context, read once."""
        from kubernetes import client, config

        read = client.Configuration()
        config.load_kube_config(str(self.kubeconfig), context=self.context, client_configuration=read)
        read.retries = 0  # a test that wants retries uses wait_until
        return read

    def api_client(self) -> client.ApiClient:
        """Return a client with its own connection pool and a time-out for every request."""
        from kubernetes import client

        timeouts = self.timeouts

        class WithDeadline(client.ApiClient):  # type: ignore[misc] # it ships no types
            def call_api(self, *request: Any, _request_timeout: Any = None, **options: Any) -> Any:
                seconds = timeouts.seconds(_request_timeout or REQUEST_TIMEOUT)
                return super().call_api(*request, _request_timeout=seconds, **options)

        return WithDeadline(self.configuration)

    def reconnect(self) -> None:
        """Close the connections that :attr:`core`, :attr:`apps` and :attr:`networking` keep; requests open new ones.

        When the API's address has moved to another server, that server knows nothing of them: a request that changes
        something would fail on one, and not be sent again.
        """
        for name in ("core", "apps", "networking"):
            if name in self.__dict__:
                getattr(self, name).api_client.rest_client.pool_manager.clear()

    def execute(
        self, namespace: str, pod: str, command: Sequence[str], *, container: str | None = None, timeout: float = 30.0
    ) -> Execution:
        """Run ``command`` in a pod; safe to call from several threads.

        Args:
            namespace: the pod's namespace.
            pod: the pod's name.
            command: program and arguments, without a shell.
            container: the container's name, or None for the pod's first.
            timeout: seconds.

        Raises:
            ExecutionError: the command did not run to its end.
        """
        where = f"{namespace}/{pod}"
        session = self.session(namespace, pod, command, container=container)
        try:
            seconds = self.timeouts.seconds(timeout)
            session.run_forever(timeout=seconds)
            if session.is_open():
                raise ExecutionError(f"{where}: {' '.join(command)} did not end within {seconds:.0f} s")
            stdout, stderr = session.read_stdout(), session.read_stderr()
            status = session.read_channel(3)
        finally:
            session.close()
        return Execution(stdout, stderr, exit_code(status, where))

    def session(
        self, namespace: str, pod: str, command: Sequence[str], *, container: str | None = None, stdin: bool = False
    ) -> Any:
        """Start a command in a pod, and return its open session: see :func:`~.execution.open_session`."""
        # A session changes a method of its API client while it is opened, so two must not share a client.
        return open_session(
            self.api_client(),
            namespace,
            pod,
            command,
            container=container,
            stdin=stdin,
            timeout=self.timeouts.seconds(REQUEST_TIMEOUT),
        )


class Kubectl:
    """kubectl with the cluster's own kubeconfig, never the user's.

    Args:
        path: the program.
        kubeconfig: its configuration.
        timeouts: of the machines that the cluster runs on.
        context: the context of the configuration; None for its current one.
    """

    def __init__(self, path: Path, kubeconfig: Path, timeouts: Timeouts = USUAL, context: str | None = CONTEXT) -> None:
        self.path = path
        self.kubeconfig = kubeconfig
        self.timeouts = timeouts
        self.context = context

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        context = [f"--context={self.context}"] if self.context else []
        return [str(self.path), f"--kubeconfig={self.kubeconfig}", *context, *arguments]

    def run(self, *arguments: str, timeout: float = 30.0, stdin: str | None = None) -> str:
        """Run kubectl and return its standard output.

        Raises:
            AssertionError: kubectl failed; the text has its output.
            subprocess.TimeoutExpired: it took longer than ``timeout`` seconds.
        """
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=self.timeouts.seconds(timeout),
            input=stdin,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout}"
        return done.stdout

    def json(self, *arguments: str, timeout: float = 30.0) -> Any:
        """Call :meth:`run` with ``-o json`` and decode the output."""
        return json.loads(self.run(*arguments, "-o", "json", timeout=timeout))
