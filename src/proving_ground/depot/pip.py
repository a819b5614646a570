"""Takes wheels from the Python package index, as pinned with hashes, into a tar that a pod image holds."""

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
"""What an installer notes of itself: it says how something was installed, not what."""


def installer() -> list[str]:
    """The command that installs packages: pip, which knows the user's mirrors, where there is one; else uv.

    Raises:
        PreflightError: there is neither.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--implementation=cp", "--disable-pip-version-check"]
    uv = Path(sys.prefix) / "bin" / "uv"
    found = str(uv) if uv.is_file() else shutil.which("uv")
    if found is None:
        raise PreflightError("neither pip nor uv is installed", where="depot", hint="install one of them")
    return [found, "pip", "install", f"--python={sys.executable}"]


def build(job: Job) -> dict[str, Any]:
    """Install the component's requirements, without running any of their code, for the Python that will run them.

    Returns:
        no facts.
    """
    settings = job.component.settings
    target = job.out / "packages"
    command = [*installer(), f"--target={target}", f"--python-version={settings['python']}", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "-r", str(job.directory / settings["requirements"])]
    job.run(command, env={"PIP_NO_COMPILE": "1"})
    # Commands are not called here, and hold the path of this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)

    def keep(path: Path) -> bool:
        noted = path.parent.suffix == ".dist-info" and path.name in RECORDS
        return (
            not noted and not (path.parent == target and path.name.startswith(".")) and "__pycache__" not in path.parts
        )

    tar.of_directory(target, job.out / settings["output"], keep=keep)
    shutil.rmtree(target)
    return {}
