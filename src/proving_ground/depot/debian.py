"""Take files from Debian packages with mmdebstrap: a whole root file system, or a small tree for an image."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proving_ground.core.errors import PreflightError
from proving_ground.depot import tar
from proving_ground.depot.job import Job
from proving_ground.process.programs import not_installed

HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
OVERLAY = "overlay.tar"
# What the hooks above do for configured packages: /bin and its like are links into /usr.
MERGE = (
    'for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done; '
    'mkdir -p "$1/proc" "$1/sys" "$1/dev"'
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")


def preflight() -> None:
    """Raise PreflightError where mmdebstrap or Debian's keys are missing."""
    if shutil.which("mmdebstrap") is None:
        raise not_installed("mmdebstrap", where="depot")
    if not KEYRING.is_file():
        raise PreflightError(f"{KEYRING} is missing", where="depot", hint="install debian-archive-keyring")


def build(job: Job) -> dict[str, Any]:
    """Install or unpack the packages, put overlay and inputs over them, run the scripts inside, take the result.

    The recipe's words: ``variant`` of mmdebstrap (``extract`` unpacks only: quick, nothing is configured),
    ``packages``, ``overlay`` (directory laid over the root), ``insert`` (directory inside → tar of another component),
    ``scripts`` (run as one inside the new root), ``tree`` (directory inside that is the result; without it the whole
    root is), ``output`` (name of the tar made).

    Returns:
        ``packages``: file names of the packages, versions included.
    """
    settings = job.component.settings
    output = job.out / settings["output"]
    raw, packages = job.out / "raw.tar", job.out / "packages"
    command = [
        "mmdebstrap",
        "--mode=auto",
        f"--variant={settings['variant']}",
        # Of a tree only the part that the last hook takes out is wanted.
        "--format=null" if "tree" in settings else "--format=tar",
        f"--include={','.join(settings['packages'])}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
    ]
    if settings["variant"] == "extract":
        command += [f"--setup-hook={MERGE}"]
        hook, listing = "--extract-hook", 'ls "$1/var/cache/apt/archives"'
    else:
        # The node's script removes apt with all it has; mmdebstrap's own tidying would bring its directories back.
        command += [f"--hook-dir={HOOKS}", "--skip=cleanup/apt"]
        hook, listing = (
            "--customize-hook",
            """chroot "$1" dpkg-query --show --showformat='${Package}_${Version}.deb\\n'""",
        )
    command += [f'{hook}={listing} >"$1/packages"', f"{hook}=download packages {shlex.quote(str(packages))}"]
    command += [f'{hook}=rm "$1/packages"']
    command += [f"{hook}={step}" for step in _steps(job)]
    if "tree" in settings:
        command += [f"{hook}=tar-out {settings['tree']} {shlex.quote(str(raw))}"]
    # Its directory in the cache may be closed to the user it maps root to: let it use /tmp.
    env = {"SOURCE_DATE_EPOCH": "0", "TMPDIR": "/tmp"}
    job.run([*command, settings["version"], "-"], env=env, stdout=None if "tree" in settings else output)
    if "tree" in settings:
        tar.normalise(raw, output, settings["tree"])
        raw.unlink()
    versions = [line for line in packages.read_text(encoding="utf-8").split() if line.endswith(".deb")]
    packages.unlink()
    (job.out / OVERLAY).unlink(missing_ok=True)
    return {"packages": versions}


def _steps(job: Job) -> Iterator[str]:
    """What is done to the new root, as mmdebstrap's hooks."""
    settings = job.component.settings
    if "overlay" in settings:
        overlay = job.out / OVERLAY
        tar.of_directory(job.directory / settings["overlay"], overlay)
        yield f"tar-in {shlex.quote(str(overlay))} /"
    for place, reference in settings.get("insert", {}).items():
        yield f'mkdir -p "$1"{shlex.quote(place)}'
        yield f"tar-in {shlex.quote(str(job.input_file(reference)))} {shlex.quote(place)}"
    # As text, not as a file: where mmdebstrap runs without root, hooks cannot read what is private to the user.
    text = "\n".join((job.directory / name).read_text(encoding="utf-8") for name in settings.get("scripts", []))
    if text:
        shell = "/bin/busybox sh" if settings["variant"] == "extract" else "/bin/sh"
        yield f'chroot "$1" {shell} -c {shlex.quote(text)}'
