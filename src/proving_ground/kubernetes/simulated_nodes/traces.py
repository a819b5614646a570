"""Find everything in the API that is there because of simulated nodes, and delete it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from proving_ground.kubernetes.client import Kube
from proving_ground.kubernetes.simulated_nodes.manifests import ACCOUNT, ACCOUNT_NAMESPACE, OWNER

LEASES = "kube-node-lease"
"""Kubernetes' own namespace of what nodes renew to show that they live."""

PARALLEL = 8
"""Requests at the same time."""

LONG = 55.0
"""Seconds of a request that deletes many objects; the API server ends any request after 60."""

FEW = 20
"""So many objects are deleted one by one; of more, one request is quicker, by half a minute for a thousand."""

MOST_SPARED = 100
"""Names of other nodes that fit into such a request."""

Trace = tuple[str, str, str]
"""An object: its kind, its namespace (empty for none), and its name."""


@dataclass
class Group:
    """The objects of one kind in one namespace.

    Attributes:
        own: names of those that are there because of simulated nodes.
        others: the nodes that all others are about; empty for one that is about no node yet, as a pod that waits.
    """

    own: list[str] = field(default_factory=list)
    others: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Kind:
    """A kind of objects that are about a node, in namespaces.

    Attributes:
        listed: lists all of them.
        node: returns the node's name of one, as JSON.
        selected: the field with that name, in selectors.
        delete: deletes one.
        delete_many: deletes those of a namespace that a selector selects.
        only: a selector of those that are about nodes; empty for all.
    """

    listed: Callable[..., Any]
    node: Callable[[dict[str, Any]], str]
    selected: str
    delete: Callable[..., Any]
    delete_many: Callable[..., Any]
    only: str = ""


class Traces:
    """What there is in the API because of simulated nodes.

    Args:
        kube: the cluster.
        owner: the checkout that the nodes are of.
        names: of the nodes.
    """

    def __init__(self, kube: Kube, owner: str, names: Iterable[str]) -> None:
        from kubernetes import client

        self._core = kube.core
        self._rbac = client.RbacAuthorizationV1Api(kube.core.api_client)
        self._selector = f"{OWNER}={owner}"
        self._names = frozenset(names)
        core, leases = kube.core, client.CoordinationV1Api(kube.core.api_client)
        self._kinds = {
            "Pod": Kind(
                core.list_pod_for_all_namespaces,
                lambda pod: pod["spec"].get("nodeName", ""),
                "spec.nodeName",
                core.delete_namespaced_pod,
                core.delete_collection_namespaced_pod,
            ),
            "Lease": Kind(
                lambda **options: leases.list_namespaced_lease(LEASES, **options),
                lambda lease: lease["metadata"]["name"],
                "metadata.name",
                leases.delete_namespaced_lease,
                leases.delete_collection_namespaced_lease,
            ),
            "Event": Kind(
                core.list_event_for_all_namespaces,
                lambda event: event["involvedObject"].get("name", ""),
                "involvedObject.name",
                core.delete_namespaced_event,
                core.delete_collection_namespaced_event,
                only="involvedObject.kind=Node",
            ),
        }

    def found(self) -> list[Trace]:
        """Return what is there now: nodes, pods on them, their leases and events, and the controller's rights."""
        return [*self._nodes(), *self._rights(), *_traces(self._groups())]

    def delete(self) -> list[Trace]:
        """Delete what is there now, all kinds at the same time, and return it.

        What comes meanwhile, such as an event about a node that is gone, is for the next call.
        """
        nodes, rights, groups = list(self._nodes()), list(self._rights()), self._groups()
        with ThreadPoolExecutor(PARALLEL) as threads:
            begun = [threads.submit(self._delete_nodes)] if nodes else []
            begun += [threads.submit(self._delete_group, *where, group) for where, group in groups.items()]
            begun += [threads.submit(self._delete_right, right) for right in rights]
            for each in begun:
                each.result()
        return [*nodes, *rights, *_traces(groups)]

    def _delete_nodes(self) -> None:
        self._core.delete_collection_node(label_selector=self._selector, _request_timeout=LONG, _preload_content=False)

    def _nodes(self) -> Iterator[Trace]:
        found = _items(self._core.list_node(label_selector=self._selector, _preload_content=False))
        yield from (("Node", "", each["metadata"]["name"]) for each in found)

    def _groups(self) -> dict[tuple[str, str], Group]:
        """Return the objects of each kind in each namespace that has some of ours."""
        groups: dict[tuple[str, str], Group] = {}
        for name, kind in self._kinds.items():
            only = {"field_selector": kind.only} if kind.only else {}
            for each in _items(kind.listed(_preload_content=False, **only)):
                group = groups.setdefault((name, each["metadata"]["namespace"]), Group())
                if (node := kind.node(each)) in self._names:
                    group.own.append(each["metadata"]["name"])
                else:
                    group.others.add(node)
        return {where: group for where, group in groups.items() if group.own}

    def _delete_group(self, kind: str, namespace: str, group: Group) -> None:
        """Delete the objects of a group that are ours: by one request for all where that can spare all others."""
        of_kind = self._kinds[kind]
        if len(group.own) > FEW:
            real = _items(
                self._core.list_node(label_selector=self._selector.replace("=", "!="), _preload_content=False)
            )
            spared = {each["metadata"]["name"] for each in real} | group.others
            if len(spared) <= MOST_SPARED:
                parts = [of_kind.only, *(f"{of_kind.selected}!={name}" for name in sorted(spared))]
                selector = ",".join(filter(None, parts))
                options = {"grace_period_seconds": 0, "_request_timeout": LONG, "_preload_content": False}
                of_kind.delete_many(namespace, field_selector=selector, **options)
                return
        with ThreadPoolExecutor(PARALLEL) as threads:
            list(threads.map(lambda name: _gone(of_kind.delete, name, namespace, grace_period_seconds=0), group.own))

    def _rights(self) -> Iterator[Trace]:
        only = {"field_selector": f"metadata.name={ACCOUNT}"}
        if self._rbac.list_cluster_role_binding(**only).items:
            yield "ClusterRoleBinding", "", ACCOUNT
        if self._rbac.list_cluster_role(**only).items:
            yield "ClusterRole", "", ACCOUNT
        if self._core.list_namespaced_service_account(ACCOUNT_NAMESPACE, **only).items:
            yield "ServiceAccount", ACCOUNT_NAMESPACE, ACCOUNT

    def _delete_right(self, trace: Trace) -> None:
        kind, namespace, name = trace
        by_kind: dict[str, Callable[..., Any]] = {
            "ClusterRole": self._rbac.delete_cluster_role,
            "ClusterRoleBinding": self._rbac.delete_cluster_role_binding,
            "ServiceAccount": self._core.delete_namespaced_service_account,
        }
        _gone(by_kind[kind], *((name, namespace) if namespace else (name,)))


def _traces(groups: dict[tuple[str, str], Group]) -> Iterator[Trace]:
    return ((kind, namespace, name) for (kind, namespace), group in groups.items() for name in group.own)


def _gone(delete: Callable[..., Any], *where: str, **options: Any) -> None:
    """Delete an object, unless the cluster's own controllers were quicker."""
    from kubernetes import client

    try:
        delete(*where, **options, _preload_content=False)
    except client.ApiException as error:
        if error.status != 404:
            raise


def _items(response: Any) -> list[dict[str, Any]]:
    """Return the objects of a list that was not decoded: for thousands, the client's own classes take seconds."""
    items: list[dict[str, Any]] = json.loads(response.data)["items"]
    return items
