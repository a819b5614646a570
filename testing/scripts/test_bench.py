"""The rows of the bench: each phase with its target, and the ratios that follow from them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_row_says_whether_the_target_is_met(bench: ModuleType) -> None:
    assert bench.line("destroy", 1.5, 1.5, "s").split() == ["destroy", "1.5", "s", "≤", "1.5", "s", "ok"]
    assert bench.line("destroy", 1.6, 1.5, "s").endswith("over")
    assert bench.line("machines", 9.0, None, "s").split() == ["machines", "9.0", "s"]


def test_ratio_waits_for_all_that_it_needs(bench: ModuleType) -> None:
    nine = next(row for row in bench.SUMS if row.what == "9 workers : 2")
    assert nine.value({"nine": 80.0, "converge": 40.0}) is None
    assert nine.value({"nine": 80.0, "converge": 40.0, "vagrant": 10.0}) == pytest.approx(1.6)


def test_sum_is_no_ratio(bench: ModuleType) -> None:
    both = next(row for row in bench.SUMS if row.what == "machines and first converge")
    assert both.value({"converge": 40.0, "vagrant": 10.0}) == pytest.approx(50)


def test_rows_follow_from_phases_that_there_are(bench: ModuleType) -> None:
    names = [phase.name for phase in bench.PHASES]
    assert len(set(names)) == len(names)
    assert {name for row in bench.SUMS for name in (*row.of, *row.over)} <= set(names)
