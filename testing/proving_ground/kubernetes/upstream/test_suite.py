"""A suite chooses upstream's cases by patterns, and says for each case that is left out why."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.upstream.suite import Case, Suite, read

NAMES = [
    "[sig-network] DNS should provide DNS for the cluster [Conformance]",
    "[sig-network] Netpol should deny ingress",
    "[sig-node] Pods should run [Conformance]",
    "[sig-node] Pods should pull [Conformance]",
]
TEXT = r"""
cases: ['\[Conformance\]']
left_out:
  - cases: ["should pull"]
    reason: it pulls an image of a registry
processes: 4
minutes: 90
"""


def suite(tmp_path: Path, text: str = TEXT) -> Suite:
    path = tmp_path / "e2e_conformance.yml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_suite_has_the_name_of_its_file_and_what_the_file_says(tmp_path: Path) -> None:
    found = suite(tmp_path)
    assert (found.name, found.processes, found.minutes) == ("conformance", 4, 90)


def test_suite_without_numbers_runs_one_case_at_a_time_for_an_hour(tmp_path: Path) -> None:
    found = suite(tmp_path, "cases: [Netpol]")
    assert (found.processes, found.minutes, found.left_out) == (1, 60, ())


def test_cases_are_chosen_by_patterns_in_the_order_of_their_names(tmp_path: Path) -> None:
    assert suite(tmp_path).choose(NAMES) == [
        Case("[sig-network] DNS should provide DNS for the cluster [Conformance]"),
        Case("[sig-node] Pods should pull [Conformance]", "it pulls an image of a registry"),
        Case("[sig-node] Pods should run [Conformance]"),
    ]


def test_pattern_that_leaves_out_no_case_is_found(tmp_path: Path) -> None:
    found = suite(tmp_path)
    assert found.unused(found.choose(NAMES)) == []
    assert found.unused(found.choose(NAMES[:3])) == ["should pull"]


def test_suite_that_chooses_no_case_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"e2e_conformance\.yml: none of 1 cases is chosen"):
        suite(tmp_path).choose(NAMES[1:2])


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("processes: 2", r"needs the key cases"),
        (TEXT + "minuts: 3", r"e2e_conformance\.yml:\d+: minuts: unknown key — did you mean minutes\?"),
        ("cases: ['(']", r"e2e_conformance\.yml: '\(' is no pattern: "),
        ("cases: [", r"e2e_conformance\.yml: not YAML: "),
    ],
)
def test_mistake_is_told(tmp_path: Path, text: str, refusal: str) -> None:
    with pytest.raises(UsageError, match=refusal):
        suite(tmp_path, text)
