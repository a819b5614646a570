"""Install the roles and collections of a project's ``requirements.yml`` once, into a cache by their content."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from proving_ground.ansible.phases import files
from proving_ground.ansible.programs import program, variables
from proving_ground.core.errors import RequirementsError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.core.yaml_files import read_file
from proving_ground.process import commands
from proving_ground.process.services import cache_directory

NAME = "requirements"
KINDS = ("role", "collection")
SECONDS = 900.0
"""Time-out of one ``ansible-galaxy install``, and of the wait for another run that installs the same."""

NETWORK = re.compile(
    r"name or service not known|name resolution|resolve host|unreachable|connection (refused|reset)|timed out|no route|"
    r"tunnel connection",
    re.IGNORECASE,
)
"""What the errors of Ansible and git have in common if the network is the cause."""

CAUSE = re.compile(
    r"(?:NOT installed successfully: |\[ERROR\]: |ERROR! )(.+?)(?=\n\s*\n|\n\[|\nERROR!|\n- |\Z)", re.DOTALL
)

GIT = re.compile(r" (?:fatal|error): (.+?)(?= (?:fatal|error|hint): |$)")
"""What git itself says, in an error of Ansible that begins with the command and its directory."""


@dataclass(frozen=True)
class Requirements:
    """One file of requirements.

    Attributes:
        path: the file.
        roles: its entries of roles.
        collections: its entries of collections.
    """

    path: Path
    roles: tuple[Any, ...]
    collections: tuple[Any, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which of :data:`KINDS` it lists."""
        return tuple(kind for kind, found in zip(KINDS, (self.roles, self.collections), strict=True) if found)


def requirements_of(settings: Settings) -> tuple[Requirements, ...]:
    """Read the files of requirements of a project that list anything.

    They are in its root directory, beside the playbook, and in ``meta/``, ``collections/`` and the directory of roles.

    Raises:
        RequirementsError: a file is no YAML, or no list of requirements.
    """
    root = settings.root
    places = (
        root,
        (root / settings.playbook).parent,
        root / "meta",
        root / "collections",
        root / settings.project.roles,
    )
    paths = dict.fromkeys(place / f"{NAME}{suffix}" for place in places for suffix in (".yml", ".yaml"))
    found = (_read(path, root) for path in paths if path.is_file())
    return tuple(each for each in found if each.kinds)


def _read(path: Path, root: Path) -> Requirements:
    where = str(path.relative_to(root))
    content = read_file(path, where, RequirementsError)
    if isinstance(content, list):  # the older form, for roles alone
        content = {"roles": content}
    said = content or {}
    lists: list[Any] = [said.get(f"{kind}s") or [] for kind in KINDS] if isinstance(said, dict) else [said]
    if not isinstance(said, dict) or not all(isinstance(each, list) for each in lists):
        hint = "write `roles:` and `collections:`, each with a list"
        raise RequirementsError("is no list of requirements", where=where, hint=hint)
    return Requirements(path, tuple(lists[0]), tuple(lists[1]))


def key(settings: Settings) -> str:
    """Return a hash of the files, of the local sources that they name, and of Ansible's version; empty without any."""
    found = requirements_of(settings)
    if not found:
        return ""
    from ansible.release import __version__ as ansible  # not at the top: most projects have no requirements

    digest = hashlib.sha256(f"{'.'.join(ansible.split('.')[:2])}\0".encode())
    for each in found:
        digest.update(str(each.path.relative_to(settings.root)).encode() + b"\0" + each.path.read_bytes() + b"\0")
        for entry in (*each.roles, *each.collections):
            for path in _local(entry, settings.root):
                digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _local(entry: Any, root: Path) -> Iterator[Path]:
    """Yield the files on this host that an entry is installed from; of a git repository those that name its commits."""
    said = [entry.get(name) for name in ("src", "source", "name")] if isinstance(entry, dict) else [entry]
    for text in said:
        source = str(text or "").removeprefix("git+").removeprefix("file://").partition("#")[0].partition(",")[0]
        path = root / source
        if not source or "://" in source or not path.exists() or path == root:
            continue
        git = path if (path / "objects").is_dir() else path / ".git"  # bare, or with a work tree
        starts = (git / "HEAD", git / "packed-refs", git / "refs") if git.is_dir() else (path,)
        for start in starts:
            yield from files(start)


def installed(settings: Settings) -> dict[str, Path]:
    """Return kind → the directory for Ansible's search path, for what :func:`ensure_installed` has installed."""
    name = key(settings)
    found = {kind: _directory(name) / f"{kind}s" for kind in KINDS} if name else {}
    return {kind: path for kind, path in found.items() if path.is_dir()}


def _directory(name: str) -> Path:
    return cache_directory() / NAME / name


def ensure_installed(settings: Settings, progress: Progress) -> None:
    """Install a project's requirements unless the cache has them; other runs that need the same wait, and use it.

    Raises:
        RequirementsError: a requirement cannot be installed; the cache has none of them then.
    """
    name = key(settings)
    if not name or _directory(name).is_dir():
        return
    directory, found = _directory(name), requirements_of(settings)
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = directory.with_name(f".{name}")
    try:
        with FileLock(directory.with_name(f".{name}.lock"), timeout=settings.timeouts.seconds(SECONDS)):
            if directory.is_dir():  # another run has installed them meanwhile
                return
            shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
            try:
                with progress.step(NAME):
                    for each in found:
                        for kind in each.kinds:
                            _install(kind, each.path, draft, settings)
                draft.replace(directory)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except Timeout as error:
        where = str(found[0].path.relative_to(settings.root))
        raise RequirementsError("another run still installs them", where=where, hint="wait for it to end") from error


def _install(kind: str, path: Path, draft: Path, settings: Settings) -> None:
    """Let Ansible install one kind of a file's requirements below ``draft``, without those that are elsewhere."""
    log, where = settings.artifacts / f"{NAME}.log", str(path.relative_to(settings.root))
    log.parent.mkdir(parents=True, exist_ok=True)
    before = log.stat().st_size if log.exists() else 0
    target = draft / f"{kind}s"
    target.mkdir(parents=True, exist_ok=True)
    try:
        commands.run(
            [program("ansible-galaxy"), kind, "install", "-r", str(path), "-p", str(target)],
            error=RequirementsError,
            where=where,
            timeout=settings.timeouts.seconds(SECONDS),
            log=log,
            cwd=settings.root,  # local sources are relative to it
            env={**variables(settings), f"ANSIBLE_{kind.upper()}S_PATH": str(target)},
        )
    except RequirementsError as error:
        said = CAUSE.search(log.read_text(encoding="utf-8", errors="replace")[before:])
        cause = " ".join(said[1].split()) if said else error.what
        of_git = GIT.search(cause)
        cause = (of_git[1] if of_git else cause)[:300]
        hint = "correct the entry"
        if NETWORK.search(cause):
            hint = "run again with a network, or name a local source (`type: file`, `source: ./NAME.tar.gz`)"
        raise RequirementsError(f"cannot be installed: {cause}", where=where, hint=hint, log=log) from error
