"""Collect what checks ask of the API: objects, the configuration of every kubelet, and which pods would be taken."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.benchmark.collected import RESOURCES, Resource
from proving_ground.kubernetes.benchmark.facts import Manifest
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.client import NOT_SIMULATED, REQUEST_TIMEOUT, Kube

THREADS = 6
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
OK, CREATED, OF_ADMISSION = 200, 201, 403


class Api:
    """Asks the API as its administrator; several threads may do so at the same time.

    Args:
        kube: the cluster.
    """

    def __init__(self, kube: Kube) -> None:
        self._configuration = kube.configuration
        self._connections = kube.api_client().rest_client.pool_manager
        self._timeout = kube.timeouts.seconds(REQUEST_TIMEOUT)

    def get(self, path: str, accept: str = "application/json", **query: str) -> Any:
        """Return the JSON at a path; raises HarnessError if there is none."""
        status, answer = self._call("GET", path + (f"?{urlencode(query)}" if query else ""), accept=accept)
        if status != OK:
            raise HarnessError(f"{path} answers {status}: {answer.get('message')}", where="benchmark")
        return answer

    def refuses(self, namespace: str, pod: Manifest) -> str:
        """Return why a pod would be refused; empty if it would be taken. It is not made.

        Raises:
            HarnessError: it is refused for another reason than admission's.
        """
        status, answer = self._call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
        if status == OF_ADMISSION:
            return str(answer["message"])
        if status != CREATED:
            raise HarnessError(f"{namespace} answers {status} to a pod: {answer.get('message')}", where="benchmark")
        return ""

    def _call(
        self, method: str, path: str, body: Manifest | None = None, accept: str = "application/json"
    ) -> tuple[int, Any]:
        headers = {"Accept": accept, "Content-Type": "application/json"}
        if token := self._configuration.get_api_key_with_prefix("authorization"):
            headers["Authorization"] = token
        answer = self._connections.request(
            method,
            f"{self._configuration.host}{path}",
            headers=headers,
            body=json.dumps(body) if body is not None else None,
            timeout=self._timeout,
            retries=False,
        )
        try:
            return answer.status, json.loads(answer.data)
        except ValueError as error:
            said = answer.data[:200].decode(errors="replace")
            raise HarnessError(f"{path} answers {answer.status}, no JSON: {said}", where="benchmark") from error


def collect(
    kube: Kube, site: Site, pods: Mapping[str, Manifest]
) -> tuple[dict[str, list[Manifest]], dict[str, Manifest], dict[str, dict[str, str]]]:
    """Ask the API for everything at the same time.

    Args:
        kube: the cluster.
        site: names the labels of namespaces that are ignored.
        pods: name → pod of which every namespace is asked whether it would take it.

    Returns:
        Objects by resource, configurations by node, and refusals by namespace and pod.
    """
    api = Api(kube)
    with ThreadPoolExecutor(max_workers=THREADS) as threads:
        lists = {name: threads.submit(listed, api, each) for name, each in RESOURCES.items()}
        real = api.get("/api/v1/nodes", labelSelector=NOT_SIMULATED)  # others have no kubelet
        nodes = [str(node["metadata"]["name"]) for node in real["items"]]
        told = {node: threads.submit(api.get, f"/api/v1/nodes/{node}/proxy/configz") for node in nodes}
        objects = without_ignored({name: each.result() for name, each in lists.items()}, site)
        namespaces = [str(each["metadata"]["name"]) for each in objects["namespaces"]]
        asked = {
            (namespace, name): threads.submit(api.refuses, namespace, pod)
            for namespace in namespaces
            if namespace not in site.system_namespaces
            for name, pod in pods.items()
        }
        refused: dict[str, dict[str, str]] = {}
        for (namespace, name), answer in asked.items():
            refused.setdefault(namespace, {})[name] = answer.result()
        kubelets = {node: each.result()["kubeletconfig"] for node, each in told.items()}
    return objects, kubelets, refused


def listed(api: Api, resource: Resource) -> list[Manifest]:
    """Return all objects of a resource."""
    accept = METADATA if resource.metadata_only else "application/json"
    query = {"fieldSelector": f"type={resource.type}"} if resource.type else {}
    # Of metadata alone an empty list is null.
    return list(api.get(resource.path, accept, **query)["items"] or ())


def without_ignored(objects: Mapping[str, Iterable[Manifest]], site: Site) -> dict[str, list[Manifest]]:
    """Leave out namespaces that end, or have a label that the site ignores, and what is in them.

    An object whose namespace is not listed is in one that somebody has made while the lists were read, as tests in
    another worker of xdist do: nobody knows yet whether it is ignored.
    """

    def is_ignored(namespace: Manifest) -> bool:
        metadata = namespace["metadata"]
        labels = metadata.get("labels") or {}
        return bool(metadata.get("deletionTimestamp")) or any(
            labels.get(key) == value for key, value in site.ignored_labels.items()
        )

    kept = {each["metadata"]["name"] for each in objects["namespaces"] if not is_ignored(each)}

    def is_kept(resource: str, each: Manifest) -> bool:
        namespace = each["metadata"]["name"] if resource == "namespaces" else each["metadata"].get("namespace")
        return namespace is None or namespace in kept

    return {resource: [each for each in found if is_kept(resource, each)] for resource, found in objects.items()}
