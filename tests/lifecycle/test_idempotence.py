"""Phase idempotence: the second converge changes nothing on any host."""

from __future__ import annotations

import pytest

from fixtures.idempotence import Repeated
from fixtures.outcomes import Outcome

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(16)]


def test_a_second_converge_changes_nothing(repeated: Repeated, subtests: pytest.Subtests) -> None:
    assert repeated.outcomes, f"{repeated.role} ran no task on {repeated.host}"
    for outcome in repeated.changes:
        with subtests.test(task=outcome.task):
            pytest.fail(outcome.change(), pytrace=False)


def test_a_second_converge_changes_nothing_outside_the_roles(
    unlisted_changes: tuple[Outcome, ...], subtests: pytest.Subtests
) -> None:
    for outcome in unlisted_changes:
        with subtests.test(host=outcome.host, role=outcome.role, task=outcome.task):
            pytest.fail(outcome.change(), pytrace=False)
