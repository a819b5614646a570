"""The table of checks: it is whole, a sound cluster passes, and each question is red for all that it looks for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from proving_ground.kubernetes.benchmark.facts import Facts
from proving_ground.kubernetes.benchmark.model import Check, Outcome, judge, wrong
from proving_ground.kubernetes.benchmark.table import checks
from proving_ground.kubernetes.certificates import issue
from testing.proving_ground.kubernetes.benchmark.sound import SITE, sound
from testing.proving_ground.kubernetes.benchmark.spoiled import spoiled

SECTIONS = {
    **{"1.1": 21, "1.2": 30, "1.3": 7, "1.4": 2, "2": 7, "3.1": 3, "3.2": 2, "4.1": 10, "4.2": 14, "4.3": 1},
    **{"5.1": 13, "5.2": 12, "5.3": 2, "5.4": 2, "5.5": 1, "5.6": 4},
}
"""How many checks each part of the benchmark has, in version 1.12."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Facts of a cluster that passes every check."""
    return sound(client(tmp_path_factory.mktemp("client"), "administrators"))


def client(directory: Path, organization: str) -> str:
    return issue(directory, "admin", organization=organization).certificate.read_text()


def test_table_has_every_number_of_the_benchmark_once() -> None:
    found = [check.id for check in checks()]
    wanted = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
    assert (sorted(found), len(wanted)) == (sorted(wanted), 131)


def test_names_are_different_within_a_section() -> None:
    assert [
        name for name, count in Counter(f"{each.section} {each.name}" for each in checks()).items() if count > 1
    ] == []


@pytest.mark.parametrize("check", checks(), ids=str)
def test_a_sound_cluster_passes(check: Check, facts: Facts) -> None:
    result = judge(check, facts, SITE)
    assert (result.outcome, result.problems) == (Outcome.PASSED, ())


@pytest.mark.parametrize("check", checks(), ids=str)
def test_check_is_red_for_everything_that_it_looks_for(check: Check, facts: Facts) -> None:
    for question in check.questions:
        broken = list(spoiled(question, facts))
        assert broken, f"nothing breaks {question}"
        unseen = [what for what, each in broken if not wrong([question], each, SITE, check.id)]
        assert unseen == [], question
        assert all(judge(check, each, SITE).outcome is Outcome.FAILED for _, each in broken)


@pytest.mark.parametrize("check", checks(), ids=str)
def test_check_is_red_where_nothing_is_known(check: Check) -> None:
    assert judge(check, Facts(), SITE).outcome is Outcome.FAILED


def test_credentials_of_system_masters_are_found(tmp_path: Path) -> None:
    (check,) = (each for each in checks() if each.id == "5.1.7")
    result = judge(check, sound(client(tmp_path, "system:masters")), SITE)
    assert result.problems == ("all: /etc/kubernetes/admin.conf is of O=system:masters,CN=admin",)
