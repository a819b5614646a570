"""Phase idempotence: the second converge changes nothing on any host."""

from __future__ import annotations

import pytest

from fixtures.lifecycle import Lifecycle

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(16), pytest.mark.usefixtures("converged")]


def test_a_second_converge_changes_nothing(machines: Lifecycle) -> None:
    again = machines.converge("--diff")
    assert not again.changed, "changed again:\n" + again.changes()
    assert again.outcomes, "the playbook ran no task at all"
