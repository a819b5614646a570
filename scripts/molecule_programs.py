"""Install Molecule from PyPI into an environment of its own, with the Ansible that runs here, for comparisons."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from proving_ground.process.services import cache_directory


def molecule_programs(purpose: str, *packages: str) -> Path:
    """Return the directory of Molecule's programs; install them once.

    Args:
        purpose: what they are for; each has an environment of its own.
        packages: what is needed besides Molecule and ansible-core.
    """
    ansible = version("ansible-core")
    home = cache_directory() / "bench" / f"molecule-{purpose}-with-ansible-core-{ansible}"
    if not (home / "bin" / "molecule").exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        wanted = ["molecule", f"ansible-core=={ansible}", *packages]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), *wanted], check=True)
    return home / "bin"
