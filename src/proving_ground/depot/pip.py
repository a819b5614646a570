"""Install wheels from the Python package index, pinned with hashes, into a tar for a pod image."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

from proving_ground.core.errors import PreflightError
from proving_ground.depot import tar
from proving_ground.depot.job import Job

RECORDS = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files that an installer writes about the installation; they are not part of the packages."""


def installer() -> list[str]:
    """Return the command that installs packages: pip, which knows the user's mirrors; if pip is missing, uv.

    Raises:
        PreflightError: neither is installed.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--implementation=cp", "--disable-pip-version-check"]
    uv = Path(sys.prefix) / "bin" / "uv"
    found = str(uv) if uv.is_file() else shutil.which("uv")
    if found is None:
        raise PreflightError("neither pip nor uv is installed", where="depot", hint="install one of them")
    return [found, "pip", "install", f"--python={sys.executable}"]


def build(job: Job) -> dict[str, Any]:
    """Install the component's requirements for the Python in the pod, without running any of their code.

    Returns:
        no facts.
    """
    settings = job.component.settings
    target = job.out / "packages"
    command = [*installer(), f"--target={target}", f"--python-version={settings['python']}", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "-r", str(job.directory / settings["requirements"])]
    job.run(command, env={"PIP_NO_COMPILE": "1"})
    # Remove the packages' commands: pods do not use them, and they contain the path of this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)

    def keep(path: Path) -> bool:
        noted = path.parent.suffix == ".dist-info" and path.name in RECORDS
        return (
            not noted and not (path.parent == target and path.name.startswith(".")) and "__pycache__" not in path.parts
        )

    tar.of_directory(target, job.out / settings["output"], keep=keep)
    shutil.rmtree(target)
    return {}
