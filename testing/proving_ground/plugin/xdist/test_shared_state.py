"""What processes of one run share: a phase is run by one of them, and all have its result, or its error."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import ConvergeError
from proving_ground.plugin.xdist.shared_state import Shared


class Phase:
    """Counts how often it is run; two ``Shared`` of one directory are as two processes."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.runs, self.error = 0, error

    def __call__(self) -> list[int]:
        self.runs += 1
        if self.error is not None:
            raise self.error
        return [self.runs]


def test_a_phase_runs_once_and_everybody_has_its_result(tmp_path: Path) -> None:
    phase = Phase()
    assert [Shared(tmp_path).once("create", phase) for _ in range(3)] == [[1], [1], [1]]
    assert phase.runs == 1


def test_two_phases_are_not_taken_for_each_other(tmp_path: Path) -> None:
    shared, phase = Shared(tmp_path), Phase()
    assert (shared.once("create", phase), shared.once("converge", phase)) == ([1], [2])


def test_an_error_is_everybodys_with_all_it_tells(tmp_path: Path) -> None:
    log = Path("ansible.log")
    phase = Phase(ConvergeError("no route", where="etcd-01", hint="mend it", log=log, play="P", role="r", host="h"))
    for _ in range(2):
        with pytest.raises(ConvergeError) as caught:
            Shared(tmp_path).once("converge", phase)
        error = caught.value
        assert (str(error), error.play, error.role, error.host) == (str(phase.error), "P", "r", "h")
    assert phase.runs == 1


def test_an_error_that_cannot_be_handed_over_is_told_in_words(tmp_path: Path) -> None:
    class PrivateError(Exception):
        pass

    with pytest.raises(RuntimeError, match="PrivateError: what happened"):
        Shared(tmp_path).once("create", Phase(PrivateError("what happened")))


def test_a_phase_that_was_interrupted_is_run_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Shared(tmp_path).once("create", Phase(KeyboardInterrupt()))
    assert Shared(tmp_path).once("create", Phase()) == [1]


def test_what_is_kept_first_stays(tmp_path: Path) -> None:
    Shared(tmp_path).keep("error", "first")
    Shared(tmp_path).keep("error", "second")
    assert Shared(tmp_path).kept("error") == "first"
    assert Shared(tmp_path).kept("nothing") is None


def test_claims_are_counted_over_all_processes(tmp_path: Path) -> None:
    claims = [Shared(tmp_path).claim("evidence", 3) for _ in range(5)]
    assert claims == [True, True, True, False, False]


def test_what_is_said_is_one_line_each(tmp_path: Path) -> None:
    Shared(tmp_path).say("one\ntwo")
    Shared(tmp_path).say("three")
    assert Shared(tmp_path).said.read_text(encoding="utf-8") == "one two\nthree\n"
