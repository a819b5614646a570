"""Find the image that containers are made of; put systemd and Python on top of one that lacks them."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from proving_ground.core.errors import MachineError, PreflightError
from proving_ground.core.problems import nearest
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.process.services import cache_directory
from proving_ground.providers.engine import Engine

ARCHIVES = "proving-ground/archive"
BUILT = "proving-ground/built"
PREPARED = "proving-ground/prepared"
"""Names of the images that the harness imports from an archive, builds of a project's Dockerfile, or of another image.
"""

DOCKERFILE = re.compile(r"(.+\.)?(dockerfile|containerfile)(\..+)?", re.IGNORECASE)
"""The name of a file that describes an image: ``Dockerfile``, ``Dockerfile.web``, ``web.dockerfile``."""

COPIES = re.compile(r"^\s*(COPY|ADD)\s+(?!.*--from=)", re.IGNORECASE | re.MULTILINE)
"""A line of a Dockerfile that takes files from its directory."""

PULL_SECONDS = 900.0
BUILD_SECONDS = 900.0

BUILD = ("build", "--quiet", "--force-rm")
"""Words of a build: without the last one, a step that fails leaves its container."""

LOOK = r"""
for each in /lib/systemd/systemd /usr/lib/systemd/systemd; do [ -x "$each" ] && echo "systemd=$each" && break; done
for each in apt-get dnf microdnf yum zypper apk pacman; do
  command -v "$each" >/dev/null 2>&1 && echo "packages=$each" && break
done
[ -x "$1" ] && echo "python=$1"
:
"""

INSTALL = {
    # A name that does not resolve for a moment is asked again; an index that does not come is an error at once.
    "apt-get": "apt-get -q -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update &&"
    " DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 --no-install-recommends install"
    " systemd systemd-sysv dbus iproute2 python3 python3-apt && rm -rf /var/lib/apt/lists/*",
    "dnf": "dnf -y install systemd iproute python3 && dnf clean all",
    "microdnf": "microdnf -y install systemd iproute python3 && microdnf clean all",
    "yum": "yum -y install systemd iproute python3 && yum clean all",
    "zypper": "zypper --non-interactive install systemd iproute2 python3 && zypper clean --all",
}
"""Package manager → command that installs systemd, Python, and ``ip``, which Ansible uses to gather facts."""


@dataclass(frozen=True)
class Image:
    """An image and its content that matters to machines.

    Attributes:
        name: the argument of the client's ``run``.
        key: the image's identifier, a hash of its content.
        systemd: path of systemd in it; empty if it has none.
        python: path of Python in it; empty if it has none at the path of the project's settings.
        packages: its package manager; empty if it has none of those in ``LOOK``.
    """

    name: str
    key: str
    systemd: str = ""
    python: str = ""
    packages: str = ""


def image_of(name: str, settings: Settings, engine: Engine, progress: Progress, log: Path) -> Image:
    """Return an image for a project's machines; pull it, and build what it lacks on top of it, if necessary.

    Args:
        name: the image's, or the path of an archive or of a Dockerfile, relative to the project's root directory.
        settings: of the project.
        engine: has the image.
        progress: receives a line for each slow step.
        log: receives the output of programs.

    Raises:
        PreflightError: there is no such image, or it lacks what a machine needs.
        MachineError: what it lacks could not be installed.
    """
    project = settings.project
    if (file := settings.root / name).is_file():
        made = _built if DOCKERFILE.fullmatch(file.name) else _imported
        name = made(file, engine, progress, log)
    found = _looked_at(_present(name, engine, progress, log), engine, project.python, log)
    wants_systemd = project.init != "none"
    lacks = [
        what for what, there in (("systemd", found.systemd or not wants_systemd), ("Python", found.python)) if not there
    ]
    return _prepared(found, lacks, engine, project.python, progress, log) if lacks else found


def identifier(engine: Engine, name: str, log: Path | None = None) -> str:
    """Return the identifier of a local image; empty if this host does not have it."""
    try:
        return engine.run("image", "inspect", "--format", "{{.Id}}", name, log=log).strip()
    except MachineError:
        return ""


def _present(name: str, engine: Engine, progress: Progress, log: Path) -> Image:
    if not (key := identifier(engine, name, log)):
        try:
            with progress.step(f"pull {name}"):
                engine.run("pull", "--quiet", name, log=log, timeout=PULL_SECONDS)
        except MachineError as error:
            local = engine.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", log=log).split()
            hint = nearest(name, [each for each in local if "proving-ground/" not in each])
            raise PreflightError(
                f"there is no image {name!r}: {error.what}", where="image", hint=hint, log=log
            ) from error
        key = identifier(engine, name, log)
    return Image(name, key)


def _imported(archive: Path, engine: Engine, progress: Progress, log: Path) -> str:
    """Import the archive of a root file system once for each content; return the image's name."""
    with archive.open("rb") as file:
        name = f"{ARCHIVES}:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    if not identifier(engine, name, log):
        with progress.step(f"import {archive.name}"):
            engine.run("import", str(archive), name, log=log, timeout=BUILD_SECONDS)
    return name


def built_name(file: Path) -> str:
    """Return the name of the image that a Dockerfile describes: its content's, or its path's if it copies files."""
    text = file.read_text(encoding="utf-8")
    content = f"{file}\0{text}" if COPIES.search(text) else text
    return f"{BUILT}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def _built(file: Path, engine: Engine, progress: Progress, log: Path) -> str:
    """Build the image of a Dockerfile once for each content; return its name.

    The engine has to see whether files have changed that the Dockerfile copies: it caches each of its steps.
    """
    name, copies = built_name(file), COPIES.search(file.read_text(encoding="utf-8"))
    if not copies and identifier(engine, name):
        return name
    with progress.step(f"image: build {file.name}"), ExitStack() as stack:
        context = str(file.parent) if copies else stack.enter_context(tempfile.TemporaryDirectory())
        words = (*BUILD, "--tag", name, "--file", str(file), context)
        try:
            engine.run(*words, log=log, timeout=BUILD_SECONDS)
        except MachineError as error:
            raise PreflightError(f"{file.name} cannot be built: {error.what}", where="image", log=log) from error
    return name


def _looked_at(image: Image, engine: Engine, python: str, log: Path) -> Image:
    """Inspect the image with a shell in it, once for each content."""
    known = cache_directory() / "images" / f"{hashlib.sha256(f'{image.key} {python}'.encode()).hexdigest()[:16]}.json"
    if known.is_file():
        return Image(**(json.loads(known.read_text(encoding="utf-8")) | {"name": image.name}))
    shell = ("--network", "none", "--entrypoint", "/bin/sh", image.name, "-c", LOOK, "look", python)
    try:
        lines = engine.run("run", "--rm", *shell, log=log).splitlines()
    except MachineError as error:
        text = f"image {image.name!r} has no shell that runs: {error.what}"
        raise PreflightError(text, where="image", hint="choose one with /bin/sh", log=log) from error
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    looked = Image(image.name, image.key, **{name: found.get(name, "") for name in ("systemd", "python", "packages")})
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text(json.dumps(asdict(looked)), encoding="utf-8")
    return looked


def _prepared(image: Image, lacks: list[str], engine: Engine, python: str, progress: Progress, log: Path) -> Image:
    """Return an image with the missing packages on top, built once for each content."""
    what = " and ".join(lacks)
    if image.packages not in INSTALL:
        hint = 'choose another image, or set `init = "none"`' if lacks == ["systemd"] else "choose another image"
        text = f"image {image.name!r} lacks {what}, and no package manager in it can install that"
        raise PreflightError(text, where="image", hint=hint)
    steps = f"FROM {image.name}\nUSER root\nRUN {INSTALL[image.packages]}\n"
    name = f"{PREPARED}:{hashlib.sha256(f'{image.key}{steps}'.encode()).hexdigest()[:16]}"
    if not (key := identifier(engine, name, log)):
        with progress.step(f"image: {what} on top of {image.name}"), tempfile.TemporaryDirectory() as context:
            (Path(context) / "Dockerfile").write_text(steps, encoding="utf-8")
            engine.run(*BUILD, "--tag", name, context, log=log, timeout=BUILD_SECONDS)
        key = identifier(engine, name, log)
    prepared = _looked_at(Image(name, key), engine, python, log)
    if not prepared.python:
        text = f"image {image.name!r} has no Python at {python}"
        raise PreflightError(text, where="image", hint="name its path: `python` in [tool.proving-ground]")
    return prepared
