"""Runs single Ansible modules and roles against the machines that are up, as `ansible` on the command line does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from proving_ground.ansible.runner import environment
from proving_ground.core.settings import Settings
from proving_ground.core.timeouts import Timeouts

TIMEOUT = 60
"""Seconds for one command on all nodes."""

AdHoc = Callable[..., str]


@pytest.fixture(scope="session")
def pg_ansible(pg_converged: object, pg_settings: Settings, pg_timeouts: Timeouts) -> AdHoc:  # noqa: ARG001 - the inventory is of machines that are up
    """``ansible("nodes", "-m", "ping", env={…})``: standard output, one line a host; fails when a host fails."""

    def run(*words: str, env: Mapping[str, str] | None = None) -> str:
        program = str(Path(sys.executable).with_name("ansible"))
        inventory = str(pg_settings.state_directory / "inventory.yml")
        done = subprocess.run(
            [program, *words, "-i", inventory, "--one-line"],
            cwd=pg_settings.root,
            env={**os.environ, **environment(pg_settings, pg_timeouts), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=pg_timeouts.seconds(TIMEOUT),
        )
        assert done.returncode == 0, f"ansible {' '.join(words)} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    return run
