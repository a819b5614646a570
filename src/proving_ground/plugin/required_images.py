"""Of a matrix of images, make the machines of those images alone that the selected tests need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from proving_ground.core.image_matrix import image_groups
from proving_ground.core.topology import Topology
from proving_ground.lifecycle.plan import plan_of
from proving_ground.plugin.configuration import UNKNOWN
from proving_ground.plugin.run import run_of
from proving_ground.plugin.xdist.workers import is_for_machines


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Limit the run's settings and plan to the needed images; every process does this for itself."""
    run = run_of(session.config)
    images = run.settings.project.images
    if not images or run.plan is UNKNOWN or run.only_looks or run.settings.is_existing or run.settings.reuse:
        return
    every = image_groups(images)
    needed = [images_needed(item, run.plan, every) for item in session.items]
    wanted = tuple(group for group in every if any(group in each for each in needed))
    settings, record = replace(run.settings, images=wanted or every), run.record
    if record is not None and record.is_of(settings) and record.has_images_of(settings):
        settings = replace(settings, images=record.image_groups)  # machines that are up stay as they are
    run.settings, run.plan = settings, plan_of(settings)


def images_needed(item: pytest.Item, plan: Topology, every: tuple[str, ...]) -> frozenset[str]:
    """Return the groups of the images whose machines a test needs: those of its parameters, or else ``every`` one."""
    if not is_for_machines(item):
        return frozenset()
    found = {group for name in parameters(item) for node in plan.nodes if node.name == name for group in node.groups}
    return frozenset(found & set(every) or every)


def parameters(item: pytest.Item) -> Iterator[str]:
    """Yield the texts in a test's parameters: a host, a host and its role, a play and its host."""
    for value in getattr(getattr(item, "callspec", None), "params", {}).values():
        yield from (each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, str))
