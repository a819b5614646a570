"""What was collected of a cluster: from its machines and from its API. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from proving_ground.machines.node_facts import Socket

Manifest = Mapping[str, Any]
"""An object of the API, as JSON has it."""

OF_PROGRAMS = {
    "kube-apiserver": "control-plane",
    "kube-controller-manager": "control-plane",
    "kube-scheduler": "control-plane",
    "etcd": "etcd",
    "kubelet": "node",
    "kube-proxy": "node",
}
"""Program → the kind of machine that runs it."""

KINDS = ("control-plane", "etcd", "node")
"""Kinds of machines; one machine may be of several."""


@dataclass(frozen=True)
class File:
    """A file or directory on a machine: its path, the bits of its mode, and ``user:group``."""

    path: str
    mode: int
    owner: str


@dataclass(frozen=True)
class Machine:
    """What one machine has said.

    Attributes:
        name: its name.
        processes: program → its arguments without hyphens → value.
        files: what was found at the paths that checks ask for.
        documents: path, or program and argument that names one (``kube-apiserver audit-policy-file``) → content.
        listeners: what listens by TCP.
        clients: kubeconfig's path → PEM of the client's certificate in it.
    """

    name: str
    processes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Sequence[File] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    listeners: Sequence[Socket] = ()
    clients: Mapping[str, str] = field(default_factory=dict)

    def at(self, pattern: str) -> list[File]:
        """Return the files that a pattern of a shell matches."""
        depth = len(PurePosixPath(pattern).parts)
        return [each for each in self.files if fnmatchcase(each.path, pattern) and depth == _depth(each.path)]


def _depth(path: str) -> int:
    return len(PurePosixPath(path).parts)


@dataclass(frozen=True)
class Facts:
    """What was collected of one cluster.

    Attributes:
        machines: kind of machine → the machines.
        kubelets: node → the configuration that its kubelet runs with.
        objects: resource, such as ``pods`` → the objects, without those that are ignored.
        refused: namespace → name of a check's pod → why the API server refuses it; empty if it would take it.
    """

    machines: Mapping[str, Sequence[Machine]] = field(default_factory=dict)
    kubelets: Mapping[str, Manifest] = field(default_factory=dict)
    objects: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def running(self, program: str) -> Iterator[tuple[Machine, Mapping[str, str]]]:
        """Yield the machines that run a program, and its arguments there.

        Raises:
            LookupError: one of the machines that should run it does not, or there is none.
        """
        machines = self.of_kind(OF_PROGRAMS[program])
        for machine in machines:
            if program not in machine.processes:
                raise LookupError(f"{machine.name}: {program} does not run")
            yield machine, machine.processes[program]

    def of_kind(self, kind: str) -> Sequence[Machine]:
        """Return the machines of a kind; raises LookupError if there is none."""
        if not self.machines.get(kind):
            raise LookupError(f"no machine is of the kind {kind}")
        return self.machines[kind]


def name_of(manifest: Manifest) -> str:
    """Return an object's ``namespace/name``, or its name."""
    metadata = manifest["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def values(document: Any, path: str) -> list[Any]:
    """Return what stands at a path of keys and indices, such as ``spec.containers.*.image``.

    ``*`` stands for all entries of a list or mapping; what is not there is left out.
    """
    found = [document]
    for step in filter(None, path.split(".")):
        found = [inner for each in found for inner in _step(each, step)]
    return found


def _step(value: Any, step: str) -> list[Any]:
    if isinstance(value, Mapping):
        if step == "*":
            return list(value.values())
        return [value[step]] if value.get(step) is not None else []
    if isinstance(value, Sequence) and not isinstance(value, str):
        if step == "*":
            return list(value)
        return [value[int(step)]] if step.isdigit() and int(step) < len(value) else []
    return []
