"""Phase converge: the playbook turns machines into a cluster."""

from __future__ import annotations

import pytest

from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(15)]


def test_the_machines_are_converged(
    pg_converged: Converge | None, pg_converge_failure: ConvergeError | None, pg_settings: Settings
) -> None:
    assert pg_converge_failure is None, str(pg_converge_failure)
    record = Ledger(pg_settings.state_directory).read()
    assert record is not None
    assert record.phase == "converged"
    failed = [str(outcome) for outcome in (pg_converged.outcomes if pg_converged else ()) if outcome.status == "failed"]
    assert not failed
