"""The depot of one checkout: compare its recipe with the cache, build missing components, make the view for nodes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from proving_ground.core.errors import DepotError
from proving_ground.core.problems import nearest, shown
from proving_ground.depot import layers, releases
from proving_ground.depot import recipe as recipes
from proving_ground.depot import view as views
from proving_ground.depot.go import architecture
from proving_ground.depot.plan import Plan
from proving_ground.depot.store import Entry, Store
from proving_ground.depot.view import View

Report = Callable[[str], None]

IGNORED = ("__pycache__",)


def silence(_: str) -> None:
    """Report nothing."""


class Depot:
    """The components of a directory's ``depot.yml``, in the cache.

    Args:
        directory: the directory of ``depot.yml`` and all files that it names.
        cache: the cache directory; this user's by default (respects ``XDG_CACHE_HOME``).
        release: name of the file in ``releases/`` that completes the recipe; empty for none.

    Raises:
        DepotError: the recipe cannot be read, or there is no such release.
    """

    def __init__(self, directory: Path, cache: Path | None = None, release: str = "") -> None:
        self.directory = directory
        self.store = Store((cache or default_cache()) / "depot")
        self.recipe = recipes.parse(read(directory / "depot.yml"), read_release(directory, release))
        directories = {path for component in self.recipe.values() for path in component.directories}
        contents = {name: content_of(self.directory / name) for name in directories}
        self.keys = recipes.keys(self.recipe, contents, architecture())

    def plan(self, only: list[str] | None = None) -> Plan:
        """Find the chosen components (by default all for nodes) in the cache; verify their files by size and time.

        Raises:
            DepotError: an entry is corrupt, or ``only`` has an unknown name.
        """
        common = {
            name: component
            for name, component in self.recipe.items()
            if component.provider is None and component.group is None
        }
        recipe = recipes.select(self.recipe, only) if only else common
        entries = {}
        for name in recipe:
            if self.store.has(name, self.keys[name]):
                entries[name] = self.store.load(name, self.keys[name])
                self.store.verify(name, entries[name])
        return Plan(recipe, self.keys, entries)

    def ensure(self, report: Report = silence, *, only: list[str] | None = None, offline: bool = False) -> View:
        """Build missing components, and return the view of all.

        Raises:
            DepotError: a component cannot be built, or an entry is corrupt.
            PreflightError: a program or disk space for building is missing.
        """
        plan = self.plan(only)
        if plan.missing:
            names = ", ".join(component.name for component in plan.missing)
            if offline:
                raise DepotError(
                    f"not in the cache: {names}", where="depot", hint="run `proving-ground depot fill` with a network"
                )
            from proving_ground.depot import build  # not at the top: a run with a full cache does not need it

            with self.locked(report):
                # Another process may have built it while this one waited for the lock.
                plan = self.plan(only)
                build.preflight(self.store, plan.missing, self.directory)
                build.fill(plan, self.store, self.directory, report)
        return self.view(plan, report)

    def component(self, name: str, report: Report = silence) -> Entry:
        """Return one component, built if missing: for components that are not part of a view.

        Raises:
            DepotError: the component cannot be built, or is corrupt.
            PreflightError: a program or disk space for building is missing.
        """
        self.ensure(report, only=[name])
        return self.store.load(name, self.keys[name])

    def view(self, plan: Plan, report: Report = silence) -> View:
        """Return the view of the plan's entries; create it if it is missing or incomplete."""
        view, files, links = views.plan(plan.recipe, plan.entries)
        path = self.views / view.key
        found = views.whole(path, self.layers, files, links)
        if found is None:
            # A lock of its own: other processes can make views of built components while builds run.
            work = self.store.root / "view-work"
            with held(self.store.root / "views.lock", report):
                shutil.rmtree(work, ignore_errors=True)
                found = views.whole(path, self.layers, files, links)
                if found is None:
                    views.write(work, path, self.layers, view, files, links)
                    found = views.read(path)
        view = replace(view, path=path, layers=found.layers)
        self.mark_used(plan, view)
        return view

    def mark_used(self, plan: Plan, view: View) -> None:
        """Set the times of view, layers and entries to now: ``prune`` reads them as the last use."""
        unpacked = (self.layers / digest for digest in view.layers or ())
        for directory in (view.path, *unpacked, *(entry.path for entry in plan.entries.values())):
            try:
                os.utime(directory)
            except OSError:  # a read-only cache works, too
                return

    @property
    def views(self) -> Path:
        """The directory of all views."""
        return self.store.root / "views"

    @property
    def layers(self) -> Path:
        """The directory of the layers that their images share, unpacked."""
        return self.views / layers.DIRECTORY

    def present(self) -> list[tuple[str, str]]:
        """Return name and key of every entry of the cache."""
        return sorted((path.parent.name, path.name) for path in self.store.entries.glob("*/*") if path.is_dir())

    @contextmanager
    def locked(self, report: Report) -> Iterator[None]:
        """Hold the cache's lock; first remove the files of interrupted builds."""
        with held(self.store.root / "lock", report):
            self.store.sweep()
            yield


@contextmanager
def held(path: Path, report: Report) -> Iterator[None]:
    """Hold a lock file; report if it has to wait for another process."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report("another process is filling the depot; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def read(file: Path) -> recipes.Source:
    """Return a file's text for the recipe; raises DepotError."""
    try:
        return recipes.Source(file.read_text(encoding="utf-8"), shown(file))
    except OSError as error:
        raise DepotError(f"cannot be read: {error.strerror}", where=str(file)) from error


def read_release(directory: Path, release: str) -> recipes.Source | None:
    """Return the text of a release; None if the depot offers none.

    Raises:
        DepotError: the depot does not offer it, or offers some of which none is chosen.
    """
    file = directory / releases.DIRECTORY / f"{release}.yml"
    known, where = sorted(path.stem for path in file.parent.glob("*.yml")), f"{shown(file.parent)}/"
    if known and not release:
        hint = f"set `release` in [tool.proving-ground] to one of: {', '.join(known)}"
        raise DepotError("no release is chosen", where=where, hint=hint)
    if release and release not in known:
        raise DepotError(f"there is no release {release}", where=where, hint=nearest(release, known) if known else "")
    return read(file) if release else None


def ensure(
    directory: Path,
    cache: Path | None = None,
    report: Report | None = None,
    *,
    release: str = "",
    only: list[str] | None = None,
    offline: bool = False,
) -> View:
    """Build the components for nodes that the cache lacks, and return the view of all.

    Args:
        directory: the directory of ``depot.yml`` and all files that it names.
        cache: the cache directory, or None for this user's.
        report: receives lines about builds.
        release: as of :class:`Depot`.
        only: names of components or of directories of the view; all by default.
        offline: build nothing.

    Raises:
        DepotError: a component cannot be built, or is corrupt.
        PreflightError: a program or disk space for building is missing.
    """
    return Depot(directory, cache, release).ensure(report or silence, only=only, offline=offline)


def default_cache() -> Path:
    """Return this user's cache directory."""
    import platformdirs

    return platformdirs.user_cache_path("proving-ground")


def content_of(directory: Path) -> str:
    """Return a hash of the names and content of a component's files, without Go's tests."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.name.endswith("_test.go") or any(part in IGNORED for part in path.parts):
            continue
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(directory)}\0{executable}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
