"""Phase idempotence: the second converge changes nothing on any host."""

from __future__ import annotations

import pytest

from proving_ground.ansible.events import Outcome
from proving_ground.plugin.idempotence import Repeated

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(16)]


def test_a_second_converge_changes_nothing(pg_repeated: Repeated, subtests: pytest.Subtests) -> None:
    assert pg_repeated.outcomes, f"{pg_repeated.role} ran no task on {pg_repeated.host}"
    for outcome in pg_repeated.changes:
        with subtests.test(task=outcome.task):
            pytest.fail(outcome.change(), pytrace=False)


def test_a_second_converge_changes_nothing_outside_the_roles(
    pg_unlisted_changes: tuple[Outcome, ...], subtests: pytest.Subtests
) -> None:
    for outcome in pg_unlisted_changes:
        with subtests.test(host=outcome.host, role=outcome.role, task=outcome.task):
            pytest.fail(outcome.change(), pytrace=False)
