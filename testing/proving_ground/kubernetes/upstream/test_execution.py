"""A run of upstream's cases tells how far it is, ends at its deadline, and leaves its output in a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import HarnessError
from proving_ground.kubernetes.upstream.execution import Tally, execute, tally


def test_tally_is_read_from_what_ginkgo_prints() -> None:
    text = """Running Suite: Kubernetes e2e suite - /depot/bin
Will run 5 of 7418 specs
Running in parallel across 2 processes
•S•
------------------------------
• [FAILED] [31.000 seconds]
[sig-network] Services [It] should serve [Conformance]
  • a point of a list
------------------------------
•
"""
    assert tally(text) == Tally(done=4, failed=1)


def test_run_tells_how_far_it_is_and_keeps_its_output(tmp_path: Path) -> None:
    said: list[str] = []
    command = ["sh", "-c", "printf '••'; while [ ! -e told ]; do sleep 0.05; done; printf '•'"]

    def say(line: str) -> None:
        said.append(line)
        (tmp_path / "told").touch()

    code = execute(command, tmp_path, total=3, timeout=60, say=say, interval=0.1)
    assert code == 0
    assert said[0].startswith("2 of 3 cases, none failed, ")
    assert (tmp_path / "ginkgo.log").read_text(encoding="utf-8") == "•••"


def test_run_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="did not end within 0 s"):
        execute(["sh", "-c", "sleep 300 & wait"], tmp_path, total=1, timeout=0.3, say=print, interval=0.1)


def test_exit_code_of_a_run_with_red_cases_is_returned(tmp_path: Path) -> None:
    assert execute(["sh", "-c", "exit 197"], tmp_path, total=1, timeout=60, say=print) == 197
