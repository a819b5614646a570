"""Network policies, case by case: every pod's connections to every port of all others, beside what the model says.

All cases are run by ``pytest -m policies``; every day's run takes a sample of them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proving_ground.kubernetes.policies.cases import Case
from proving_ground.kubernetes.policies.catalogue import CASES

pytestmark = [
    pytest.mark.order(95),
    pytest.mark.role("configure/kube-master", "configure/kube-worker"),
    pytest.mark.xdist_group("policies"),
    pytest.mark.policies,
]

EVERY = 11
"""Of so many cases one is in every day's run: neighbours in the catalogue are about the same thing."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.thorough] if number % EVERY else [])
        for number, case in enumerate(CASES)
    ],
)
def test_network_policy(case: Case, pg_policies: Callable[[Case], None]) -> None:
    pg_policies(case)
