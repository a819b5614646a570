"""Results are those of pytest-ansible: by host, by attribute, as a dictionary, in a loop."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.compat.results import AdHocResult, ModuleResult

CONTACTED: dict[str, dict[str, Any]] = {
    "localhost": {"changed": True, "rc": 0},
    "one.example": {"failed": True, "msg": "no"},
}


def test_a_result_is_found_by_its_host() -> None:
    contacted = AdHocResult(CONTACTED)
    assert contacted["one.example"]["msg"] == "no"
    assert contacted.localhost.is_changed
    assert getattr(contacted, "one.example").is_failed
    assert "localhost" in contacted
    assert "two" not in contacted
    with pytest.raises(KeyError):
        contacted["two"]
    with pytest.raises(AttributeError, match="no result of a host 'two'"):
        contacted.two  # noqa: B018 - it is read


def test_results_are_a_mapping_of_hosts() -> None:
    contacted = AdHocResult(CONTACTED)
    assert list(contacted) == list(contacted.keys()) == ["localhost", "one.example"]
    assert len(contacted) == 2
    assert [(host, result.is_successful) for host, result in contacted.items()] == [
        ("localhost", True),
        ("one.example", False),
    ]
    assert [result.is_failed for result in contacted.values()] == [False, True]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({}, {"is_ok", "is_successful"}),
        ({"changed": True}, {"is_changed", "is_successful"}),
        ({"skipped": True}, {"is_skipped", "is_successful"}),
        ({"rc": 1}, {"is_failed"}),
        ({"failed": True}, {"is_failed"}),
        ({"unreachable": True}, {"is_unreachable"}),
    ],
)
def test_a_result_says_how_it_went(result: dict[str, Any], words: set[str]) -> None:
    all_words = ("is_ok", "is_changed", "is_failed", "is_skipped", "is_successful", "is_unreachable")
    assert {word for word in all_words if getattr(ModuleResult(result), word)} == words
