"""Build from Debian packages with mmdebstrap: a whole root file system, or a small tree for an image."""

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
# Does what HOOKS do for configured packages: makes /bin, /sbin and /lib links into /usr.
MERGE = (
    'for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done; '
    'mkdir -p "$1/proc" "$1/sys" "$1/dev"'
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")


def preflight() -> None:
    """Raise PreflightError if mmdebstrap or Debian's keys are missing."""
    if shutil.which("mmdebstrap") is None:
        raise not_installed("mmdebstrap", where="depot")
    if not KEYRING.is_file():
        raise PreflightError(f"{KEYRING} is missing", where="depot", hint="install debian-archive-keyring")


def build(job: Job) -> dict[str, Any]:
    """Install or unpack the packages, add overlay and inputs, run the scripts in the new root, and pack the result.

    The recipe's keys: ``variant`` of mmdebstrap (``extract`` only unpacks: fast, but configures no package),
    ``packages``, ``overlay`` (directory copied over the root), ``insert`` (directory in the root → tar of another
    component), ``scripts`` (joined and run in the new root), ``tree`` (directory in the root that is the result;
    without it the whole root is), ``output`` (name of the resulting tar).

    Returns:
        ``packages``: file names of the packages, with versions.
    """
    settings = job.component.settings
    output = job.out / settings["output"]
    raw, packages = job.out / "raw.tar", job.out / "packages"
    command = [
        "mmdebstrap",
        "--mode=auto",
        f"--variant={settings['variant']}",
        # For a tree, the last hook extracts the result; mmdebstrap itself writes none.
        "--format=null" if "tree" in settings else "--format=tar",
        f"--include={','.join(settings['packages'])}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
    ]
    if settings["variant"] == "extract":
        command += [f"--setup-hook={MERGE}"]
        hook, listing = "--extract-hook", 'ls "$1/var/cache/apt/archives"'
    else:
        # The node's script removes apt and its files; mmdebstrap's own cleanup would create apt's directories again.
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
    # The user to which mmdebstrap maps root may have no access to the cache: let it use /tmp.
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
    """Yield mmdebstrap's hooks that change the new root."""
    settings = job.component.settings
    if "overlay" in settings:
        overlay = job.out / OVERLAY
        tar.of_directory(job.directory / settings["overlay"], overlay)
        yield f"tar-in {shlex.quote(str(overlay))} /"
    for place, reference in settings.get("insert", {}).items():
        yield f'mkdir -p "$1"{shlex.quote(place)}'
        yield f"tar-in {shlex.quote(str(job.input_file(reference)))} {shlex.quote(place)}"
    # As text, not as a file: if mmdebstrap runs without root, its hooks cannot read the user's private files.
    text = "\n".join((job.directory / name).read_text(encoding="utf-8") for name in settings.get("scripts", []))
    if text:
        shell = "/bin/busybox sh" if settings["variant"] == "extract" else "/bin/sh"
        yield f'chroot "$1" {shell} -c {shlex.quote(text)}'
