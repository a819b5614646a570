"""Create namespaces with unique names, delete them quickly, and remove those that a killed run has left."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping

import pytest

from proving_ground.core.polling import NotReady
from proving_ground.kubernetes.client import Kube
from proving_ground.plugin.run import run_of

MANY_TIMEOUT = 60.0
"""Seconds of a request that deletes all pods of a namespace, maybe a thousand; the API server allows no more."""

MADE_BY = {"proving-ground/made-by": "tests"}
CHECKOUT, RUN_ID = "proving-ground/checkout", "proving-ground/run"
"""Labels that say of which checkout and run a namespace is."""

LABELS = {**MADE_BY, "pod-security.kubernetes.io/enforce": "privileged"}
"""Labels of tests' namespaces. Their pods may ask for everything, since a strict cluster refuses probes in their node's
network."""


class Namespaces:
    """Creates namespaces with unique names and deletes them.

    Args:
        kube: the cluster.
        owner: labels that say whose they are: :data:`CHECKOUT` and :data:`RUN_ID`.
    """

    def __init__(self, kube: Kube, owner: Mapping[str, str] | None = None) -> None:
        self._kube = kube
        self._owner = dict(owner or {})
        self._made: list[str] = []

    def create(self, prefix: str, labels: Mapping[str, str | None] | None = None) -> str:
        """Create a namespace, and wait until it accepts pods.

        Args:
            prefix: what its name starts with.
            labels: its labels beside :data:`LABELS`, or in place of these; None leaves one of them away.
        """
        name = f"{prefix}-{secrets.token_hex(3)}"
        given = {key: value for key, value in {**LABELS, **self._owner, **(labels or {})}.items() if value is not None}
        metadata = {"name": name, "labels": given}
        self._kube.core.create_namespace({"metadata": metadata})
        self._made.append(name)
        # The API server rejects pods until the controller manager has made the namespace's service account.
        self._kube.timeouts.wait_until(
            f"namespace {name} has its service account", lambda: self._service_account(name), timeout=20, interval=0.05
        )
        return name

    def _service_account(self, namespace: str) -> None:
        from kubernetes import client

        try:
            self._kube.core.read_namespaced_service_account("default", namespace)
        except client.ApiException as error:
            if error.status == 404:
                raise NotReady("the controller manager has not made it") from error
            raise

    def delete(self, name: str) -> None:
        """Delete the namespace and all in it, without waiting for the end: its name is never used again."""
        self._delete(name)
        self._made.remove(name)

    def delete_all(self) -> None:
        """Delete every namespace that this object created; tries all before it raises the first error."""
        errors = []
        for name in list(self._made):
            try:
                self.delete(name)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def remove_left(self, alive: Collection[str]) -> list[str]:
        """Delete the namespaces of this checkout's earlier runs, which were killed: their pods hold ports of nodes.

        Args:
            alive: the ids of runs whose namespaces stay.

        Returns:
            the names of the deleted namespaces.
        """
        ours = {**MADE_BY, CHECKOUT: self._owner[CHECKOUT]}
        found = self._kube.core.list_namespace(label_selector=",".join(f"{key}={ours[key]}" for key in ours)).items
        left = [each.metadata.name for each in found if each.metadata.labels.get(RUN_ID) not in alive]
        for name in left:
            self._delete(name)
        return left

    def _delete(self, name: str) -> None:
        # Delete pods first and without grace: the namespace's controller would give each of them half a minute.
        self._kube.core.delete_collection_namespaced_pod(name, grace_period_seconds=0, _request_timeout=MANY_TIMEOUT)
        self._kube.core.delete_namespace(name)


@pytest.fixture(scope="session")
def pg_namespaces(pytestconfig: pytest.Config, pg_kube: Kube) -> Iterator[Namespaces]:
    """Creates namespaces; the end of the session deletes those that tests did not delete."""
    run = run_of(pytestconfig)
    made = Namespaces(pg_kube, {CHECKOUT: run.settings.checkout_id, RUN_ID: run.settings.run_id})
    if not run.without_machines:  # no other run of this checkout has them now; on a given cluster one may run beside it
        for name in made.remove_left({run.settings.run_id, run.started_by}):
            run.say(f"namespace {name}, which a killed run has left, is deleted")
    yield made
    made.delete_all()


@pytest.fixture
def pg_namespace(pg_namespaces: Namespaces) -> Iterator[str]:
    """A namespace for one test."""
    name = pg_namespaces.create("test")
    yield name
    pg_namespaces.delete(name)
