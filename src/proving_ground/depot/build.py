"""Build missing components, two at a time, each as soon as its inputs are built."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from proving_ground.core.errors import DepotError, HarnessError, PreflightError
from proving_ground.depot import box, debian, go, oci, pip
from proving_ground.depot.job import Job, Processes, Stopped
from proving_ground.depot.plan import Plan
from proving_ground.depot.recipe import Component
from proving_ground.depot.store import Entry, Store

AT_ONCE = 2
"""Compilers use all processors; with two components, one downloads while the other compiles."""

HEARTBEAT_SECONDS = 15.0
RESERVE = 1024
"""MiB of disk that have to stay free."""

BUILDERS = {"go": go.build, "debian": debian.build, "pip": pip.build, "image": oci.build, "box": box.build}
Report = Callable[[str], None]


def preflight(store: Store, missing: list[Component], depot: Path) -> None:
    """Raise PreflightError if a program or disk space is missing to build these components of ``depot``."""
    builds = {component.build for component in missing}
    if "debian" in builds:
        debian.preflight()
    if "pip" in builds:
        pip.installer()
    if "box" in builds:
        box.preflight()
    directories = [store.root]
    if "go" in builds:
        modules = (item.module or item.directory or "." for item in missing if item.build == "go")
        directories += go.preflight(depot / module for module in modules)
    needed = sum(component.disk for component in missing) + RESERVE
    for directory in directories:
        there = next(path for path in (directory, *directory.parents) if path.exists())
        free = shutil.disk_usage(there).free // 2**20
        if free < needed:
            text = f"filling the depot may take {needed / 1024:.1f} GiB, {free / 1024:.1f} GiB are free"
            raise PreflightError(text, where=str(there), hint="free some, or point XDG_CACHE_HOME elsewhere")


def fill(plan: Plan, store: Store, depot: Path, report: Report) -> None:
    """Build all missing components. The caller has to hold the lock.

    Raises:
        DepotError: the first failure; the function stops the other builds and keeps finished components.
    """
    store.logs.mkdir(parents=True, exist_ok=True)
    waiting, total = {component.name: component for component in plan.missing}, len(plan.missing)
    processes, running, started = Processes(), dict[Future[Entry], str](), dict[str, float]()

    def start_ready(pool: ThreadPoolExecutor) -> None:
        for name, component in list(waiting.items()):
            if len(running) < AT_ONCE and all(needed in plan.entries for needed in component.inputs):
                started[name] = time.monotonic()
                report(f"{component.build}: building {name} {component.version or ''}".rstrip())
                running[pool.submit(_build, component, plan, store, depot, processes)] = name
                del waiting[name]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            start_ready(pool)
            while running:
                done, _ = wait(running, HEARTBEAT_SECONDS, FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    plan.entries[name] = future.result()
                    plan.seconds[name] = time.monotonic() - started[name]
                    report(f"built {name} in {plan.seconds[name]:.0f} s")
                start_ready(pool)
                if not done:
                    under_way = (f"{name} for {time.monotonic() - started[name]:.0f} s" for name in running.values())
                    report(f"{total - len(waiting) - len(running)} of {total} built; building {', '.join(under_way)}")
        except BaseException:
            processes.stop()
            raise


def _build(component: Component, plan: Plan, store: Store, depot: Path, processes: Processes) -> Entry:
    """Build one component into the store."""
    name = component.name
    log = store.logs / f"{name}.log"
    log.write_bytes(b"")
    with store.making(name) as out:
        directory = depot / (component.directory or ".")
        inputs = {needed: plan.entries[needed] for needed in component.inputs}
        try:
            job = Job(component, directory, out, log, inputs, processes, depot / (component.module or "."))
            facts = BUILDERS[component.build](job)
        except (HarnessError, Stopped):
            raise
        except OSError as error:
            raise DepotError(
                f"{error.strerror or error} {error.filename or ''}".strip(), where=name, log=log
            ) from error
        return store.publish(out, name, plan.keys[name], facts)
