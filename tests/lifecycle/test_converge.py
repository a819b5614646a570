"""Phase converge: the playbook turns machines into a cluster."""

from __future__ import annotations

import pytest

from fixtures.converge import Converge
from fixtures.errors import ConvergeError
from fixtures.ledger import Ledger
from fixtures.settings import Settings

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(15)]


def test_the_machines_are_converged(
    converged: Converge | None, converge_failure: ConvergeError | None, settings: Settings
) -> None:
    assert converge_failure is None, str(converge_failure)
    record = Ledger(settings.state_directory).read()
    assert record is not None
    assert record.phase == "converged"
    failed = [str(outcome) for outcome in (converged.outcomes if converged else ()) if outcome.status == "failed"]
    assert not failed
