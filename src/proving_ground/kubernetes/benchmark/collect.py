"""Collect everything that the checks ask for: of machines and of the API, all at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proving_ground.kubernetes.benchmark import api, machines
from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.model import Check, reason_of
from proving_ground.kubernetes.benchmark.question import Needs, Question
from proving_ground.kubernetes.benchmark.site import Site
from proving_ground.kubernetes.client import Kube


def collect(
    checks: Iterable[Check], kube: Kube, hosts: Mapping[str, Any], kinds: Mapping[str, Iterable[str]], site: Site
) -> Facts:
    """Ask a cluster.

    Args:
        checks: what will be judged.
        kube: the cluster.
        hosts: testinfra's hosts by the machines' names.
        kinds: kind of machine → names.
        site: what is particular to the cluster.

    Raises:
        HarnessError: the answer of a machine, or of the API, is not complete.
    """
    needs = needs_of(checks, site)
    with ThreadPoolExecutor(max_workers=1) as threads:
        of_machines = threads.submit(machines.collect, hosts, kinds, needs)
        objects, kubelets, refused = api.collect(kube, site, dict(needs.pods))
        return Facts(of_machines.result(), kubelets, objects, refused)


def needs_of(checks: Iterable[Check], site: Site) -> Needs:
    """Return what all checks need together, with what tells whether the reasons of exemptions hold."""
    questions: list[Question] = []
    for check in checks:
        questions += check.questions
        if check.id in site.exemptions:
            questions += reason_of(site, check.id)
    found = [question.needs(site) for question in questions]
    return Needs(
        tuple(dict.fromkeys(each for need in found for each in need.files)),
        tuple(dict.fromkeys(each for need in found for each in need.documents)),
        tuple(dict.fromkeys(each for need in found for each in need.arguments)),
        tuple(dict.fromkeys(each for need in found for each in need.clients)),
        tuple({name: (name, pod) for need in found for name, pod in need.pods}.values()),
    )
