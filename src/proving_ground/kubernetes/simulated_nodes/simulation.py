"""Start simulated nodes beside those of a cluster, wait until all are Ready, and remove them without a trace."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady, WaitTimeoutError
from proving_ground.core.timeouts import Timeouts
from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes import manifests
from proving_ground.kubernetes.simulated_nodes.controller import Controller
from proving_ground.kubernetes.simulated_nodes.daemon_sets import that_want
from proving_ground.kubernetes.simulated_nodes.traces import PARALLEL, Traces

READY_SECONDS = 300.0
"""Time-out of the start, in seconds. A test may want them sooner; this is for one that would wait for ever."""

REMOVED_SECONDS = 180.0
"""Time-out of the removal, in seconds."""

SETTLE_SECONDS = 3.0
"""Seconds between two looks at what is left: when the controller manager notices that a node is gone, it says so in an
event."""

WATCH_SECONDS = 5
"""After so many seconds a watch ends and the next begins, with a look at the controller in between."""

TOKEN_SECONDS = 24 * 3600

STATE = "state.json"


def cluster_of(directory: Path, timeouts: Timeouts) -> Kube:
    """Return the cluster that the nodes of a simulation's directory are on."""
    state = json.loads((directory / STATE).read_text(encoding="utf-8"))
    return Kube(Path(state["kubeconfig"]), timeouts, state["context"])


class Simulation:
    """The simulated nodes of a checkout on a cluster.

    Args:
        kube: the cluster.
        directory: the simulation's own; that there are nodes stands in it before the first one is made.
        log: the file that receives the output of KWOK's controller.
        owner: the checkout.
    """

    def __init__(self, kube: Kube, directory: Path, log: Path, owner: str) -> None:
        self.kube = kube
        self.owner = owner
        self.controller = Controller(directory, log)
        self._directory = directory
        self._state = directory / STATE

    @property
    def names(self) -> list[str]:
        """The names of the nodes that are there, or that a killed run has left; empty for none."""
        if not self._state.exists():
            return []
        return manifests.names(int(json.loads(self._state.read_text(encoding="utf-8"))["number"]))

    @property
    def traces(self) -> Traces:
        """What there is in the API because of them."""
        return Traces(self.kube, self.owner, self.names)

    def start(self, program: Path, number: int) -> float:
        """Make the nodes, and wait until all of them are Ready; what an earlier run has left is removed first.

        Args:
            program: KWOK's controller.
            number: how many.

        Returns:
            the seconds from the start of the controller until the last node was Ready.

        Raises:
            MachineError: they did not become Ready, or a DaemonSet of the cluster would run on them.
        """
        self.remove()
        self._refuse_daemon_sets()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        where = {"kubeconfig": str(self.kube.kubeconfig), "context": self.kube.context}
        self._state.write_text(json.dumps({"number": number, **where}), encoding="utf-8")
        self._grant()
        began = time.monotonic()
        self.controller.start(program, self._kubeconfig(), manifests.configuration(self.owner))
        with ThreadPoolExecutor(PARALLEL) as threads:
            made = [threads.submit(self._create, index, name) for index, name in enumerate(self.names)]
            try:
                self._await_ready(set(self.names), made, began)
            finally:
                threads.shutdown(cancel_futures=True)
        return time.monotonic() - began

    def remove(self) -> float:
        """Remove the nodes and all that is there because of them; nothing happens if there are none.

        Returns:
            the seconds that it took.

        Raises:
            MachineError: something is left.
        """
        began = time.monotonic()
        if not self._state.exists():
            return 0.0
        self.controller.stop()

        def swept() -> None:
            if found := self.traces.delete():
                raise NotReady(f"{len(found)} objects were there, such as {found[-1]}")

        from kubernetes import client
        from urllib3.exceptions import HTTPError

        try:
            self.kube.timeouts.wait_until(
                "nothing of the simulated nodes is left",
                swept,
                timeout=REMOVED_SECONDS,
                interval=SETTLE_SECONDS,
                successes=2,
                retry_on=(client.ApiException, HTTPError),
            )
        except WaitTimeoutError as error:
            raise MachineError(str(error), where="simulated nodes", hint="the next run tries again") from error
        shutil.rmtree(self._directory)
        return time.monotonic() - began

    def _refuse_daemon_sets(self) -> None:
        found = self.kube.apps.list_daemon_set_for_all_namespaces(_preload_content=False)
        sets = json.loads(found.data)["items"]
        if wanting := that_want(sets, manifests.node(0, manifests.names(1)[0], self.owner)):
            raise MachineError(
                f"they tolerate every taint, and would run on simulated nodes: {', '.join(wanting)}",
                where="DaemonSets",
                hint="give them a node affinity with `{key: type, operator: NotIn, values: [kwok]}`",
            )

    def _grant(self) -> None:
        """Make the account of the controller, and give it its rights."""
        from kubernetes import client

        made = manifests.rights()
        rbac = client.RbacAuthorizationV1Api(self.kube.core.api_client)
        self.kube.core.create_namespaced_service_account(manifests.ACCOUNT_NAMESPACE, made["ServiceAccount"])
        rbac.create_cluster_role(made["ClusterRole"])
        rbac.create_cluster_role_binding(made["ClusterRoleBinding"])

    def _kubeconfig(self) -> manifests.Manifest:
        asked = {"spec": {"audiences": [], "expirationSeconds": TOKEN_SECONDS}}
        token = self.kube.core.create_namespaced_service_account_token(
            manifests.ACCOUNT, manifests.ACCOUNT_NAMESPACE, asked
        )
        read = self.kube.configuration
        authority = Path(read.ssl_ca_cert).read_bytes() if read.ssl_ca_cert else b""
        return manifests.kubeconfig(read.host, authority, token.status.token)

    def _create(self, index: int, name: str) -> None:
        self.kube.core.create_node(manifests.node(index, name, self.owner), _preload_content=False)

    def _await_ready(self, waiting: set[str], made: list[Future[None]], began: float) -> None:
        """Wait until every node that is waited for is Ready."""
        total, limit, seen = len(waiting), self.kube.timeouts.seconds(READY_SECONDS), Seen(self.kube, self.owner)
        while waiting:
            for name, is_ready in seen.changes():
                (waiting.discard if is_ready else waiting.add)(name)
                if not waiting:
                    break
            for each in made:
                if each.done():
                    each.result()
            self.controller.require_alive()
            if (seconds := time.monotonic() - began) > limit:
                text = f"{total - len(waiting)} of {total} were Ready after {seconds:.0f} s"
                raise MachineError(text, where="simulated nodes", hint="read KWOK's log", log=self.controller.log)


class Seen:
    """Watches the nodes of a simulation.

    Args:
        kube: the cluster.
        owner: the checkout.
    """

    def __init__(self, kube: Kube, owner: str) -> None:
        self._kube = kube
        self._selector = f"{manifests.OWNER}={owner}"
        self._version: str | None = None

    def changes(self) -> Iterator[tuple[str, bool]]:
        """Yield, for some seconds, the name of each node that has changed, and whether it is Ready."""
        from kubernetes import client, watch

        watching = watch.Watch(return_type="object")
        try:
            for event in watching.stream(
                self._kube.core.list_node,
                label_selector=self._selector,
                resource_version=self._version,
                timeout_seconds=WATCH_SECONDS,
            ):
                yield event["object"]["metadata"]["name"], is_ready(event["object"])
            self._version = watching.resource_version
        except client.ApiException as error:
            if error.status != 410:  # too long ago: the next watch begins with what is there
                raise
            self._version = None


def is_ready(node: dict[str, Any]) -> bool:
    """Return whether a node, as JSON, is Ready."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
