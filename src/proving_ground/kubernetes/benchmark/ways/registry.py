"""Which way a question is asked in, by the key that it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.question import Question
from proving_ground.kubernetes.benchmark.ways.admission import Refuses
from proving_ground.kubernetes.benchmark.ways.arguments import Argument
from proving_ground.kubernetes.benchmark.ways.audit import Audit
from proving_ground.kubernetes.benchmark.ways.clients import Clients
from proving_ground.kubernetes.benchmark.ways.documents import Authorities, Document, Mentions
from proving_ground.kubernetes.benchmark.ways.files import Files
from proving_ground.kubernetes.benchmark.ways.kubelets import KubeletSetting
from proving_ground.kubernetes.benchmark.ways.listeners import Listens
from proving_ground.kubernetes.benchmark.ways.objects import Objects
from proving_ground.kubernetes.benchmark.ways.rights import Bindings, Rights
from proving_ground.kubernetes.benchmark.ways.workloads import Workloads

WAYS: Mapping[str, Any] = {
    "argument": Argument,
    "audit": Audit,
    "authorities": Authorities,
    "bindings": Bindings,
    "clients": Clients,
    "document": Document,
    "file": Files,
    "kubelet": KubeletSetting,
    "listener": Listens,
    "objects": Objects,
    "refuses": Refuses,
    "rights": Rights,
    "text": Mentions,
    "workloads": Workloads,
}


def read_questions(manifest: Any, where: str) -> tuple[Question, ...]:
    """Return the questions of a check, of which there is one or a list.

    Raises:
        UsageError: one has no way, or more than one, or is wrong.
    """
    given = manifest if isinstance(manifest, list) else [manifest]
    if not given:
        raise UsageError("the check has no question", where=where, hint=f"begin one with {', '.join(WAYS)}")
    return tuple(_question(each, where) for each in given)


def _question(manifest: Any, where: str) -> Question:
    ways = [key for key in manifest if key in WAYS] if isinstance(manifest, Mapping) else []
    if len(ways) != 1:
        raise UsageError(f"{manifest!r} is no question", where=where, hint=f"begin with one of {', '.join(WAYS)}")
    question: Question = WAYS[ways[0]].read(manifest, where)
    return question
