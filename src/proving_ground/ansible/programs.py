"""Find Ansible's programs, which are installed beside this Python, and the variables with which all of them run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from proving_ground.core.settings import Settings


def program(name: str) -> str:
    """Return the path of one of Ansible's programs, such as ``ansible-playbook``."""
    return str(Path(sys.executable).parent / name)


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment variables of every program: the project's configuration, and where programs are."""
    config = settings.root / settings.project.ansible_config
    return {
        **({"ANSIBLE_CONFIG": str(config)} if config.is_file() else {}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "ANSIBLE_NOCOLOR": "1",
    }
