"""A program that is run has a deadline and a log; its failure names the program, the cause and where to read on."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import MachineError
from proving_ground.core.polling import NotReady, wait_until
from proving_ground.process.commands import last_words, run


def sh(script: str, log: Path | None = None, timeout: float = 20) -> str:
    return run(["sh", "-c", script], error=MachineError, where="sh", timeout=timeout, log=log, hint="look")


def test_output_is_returned_and_all_of_it_logged(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "sh.log"
    assert sh("echo said; echo muttered >&2", log) == "said\n"
    assert log.read_text(encoding="utf-8") == "$ sh -c echo said; echo muttered >&2\nsaid\nmuttered\n\n"


def test_a_failure_is_told_in_the_programs_last_words_with_hint_and_log(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as failed:
        sh("echo 'Error: no space left'; echo 'Error: disk full' >&2; echo bye >&2; exit 3", tmp_path / "log")
    assert str(failed.value) == f"sh: Error: disk full — look (log: {tmp_path / 'log'})"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(MachineError, match=r"no-such-program is not installed — .*: apt-get install no-such-program"):
        run(["no-such-program"], error=MachineError, where="host", timeout=5)


def test_what_does_not_end_in_time_is_ended_with_all_its_children(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="did not end within 0 s"):
        sh(f"echo begun; sleep 300 & echo $! > {tmp_path}/child; wait", tmp_path / "log", timeout=0.4)
    child = Path("/proc") / (tmp_path / "child").read_text(encoding="ascii").strip() / "stat"

    def ended() -> None:
        if child.exists() and child.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z":
            raise NotReady("it runs")

    wait_until("its child has ended", ended, timeout=10, interval=0.02)
    assert "begun" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "it failed without any output"),
        ("one\ntwo\n\n", "two"),
        ("ERROR: first\nfatal: second\nsee the manual", "fatal: second"),
    ],
)
def test_last_words_are_the_last_line_that_tells_of_a_cause(output: str, words: str) -> None:
    assert last_words(output) == words
