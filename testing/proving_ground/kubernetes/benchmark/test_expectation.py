"""What a value has to be, and what is said where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.kubernetes.benchmark.expectation import Expectation, number_of, shown


@pytest.mark.parametrize(
    ("expected", "right", "wrong"),
    [
        ({"equals": "false"}, [False, "false"], [True, None, ""]),
        ({"equals": "false", "default": "false"}, [None, False], [True]),
        ({"equals": "false", "default": "true"}, [False], [None]),
        ({"differs": "AlwaysAllow"}, ["Webhook", None], ["AlwaysAllow"]),
        ({"differs": "false", "default": "false"}, ["true"], [None]),
        ({"includes": ["Node"]}, ["RBAC,Node", ["Node"]], ["RBAC", "Nodes", None]),
        ({"excludes": ["AlwaysAdmit"]}, ["A,B", None], ["A,AlwaysAdmit"]),
        ({"excludes": ["A"], "default": "A"}, ["B"], [None]),
        ({"only": ["A", "B"]}, ["A", ["B", "A"], {"A": 1}], ["A,C", "", [], None]),
        ({"at_least": 30}, ["30", 31, "1m"], ["29", "many", None]),
        ({"at_least": 1, "at_most": 50}, [1, 50], [0, 51]),
        ({"at_least": 1}, ["4h0m0s", "1s"], ["0s", "500ms"]),
        ({"given": True}, ["/a"], [None, ""]),
        ({"given": False}, [None], ["/a", ""]),
    ],
)
def test_value_is_as_expected_or_not(expected: dict[str, Any], right: list[Any], wrong: list[Any]) -> None:
    read = Expectation.read(expected, "test")
    assert [read.wrong(value) for value in right] == [""] * len(right)
    assert [value for value in wrong if not read.wrong(value)] == []


def test_problem_names_value_and_what_it_should_be() -> None:
    assert Expectation(equals="false", default="true").wrong(None) == "is 'true' by default, and should be 'false'"
    assert Expectation(only=("A",)).wrong("A,weak") == "is 'A,weak', of which weak is not allowed"
    assert Expectation(given=False).wrong("x") == "is x, and must not be set"


@pytest.mark.parametrize("manifest", [{}, {"default": "true"}])
def test_what_expects_nothing_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expects nothing"):
        Expectation.read(manifest, "test")


def test_values_are_texts_as_arguments_have_them() -> None:
    assert [shown(each) for each in (True, 1, ["a", "b"], {"a": 1, "b": 2}, "x")] == ["true", "1", "a,b", "a,b", "x"]


@pytest.mark.parametrize(
    ("text", "number"), [("5", 5), ("-1", -1), ("1.5", 1.5), ("1m30s", 90), ("250ms", 0.25), ("1 m", None), ("", None)]
)
def test_numbers_and_durations(text: str, number: float | None) -> None:
    assert number_of(text) == number
