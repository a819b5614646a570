"""Phase converge: the playbook turns machines into a cluster. The plugin's own test, in this cluster's order."""

from __future__ import annotations

import pytest

from proving_ground.ansible.runner import Converge
from proving_ground.core.errors import ConvergeError
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import Ledger
from proving_ground.plugin.step_tests import test_converge

__all__ = ["test_converge", "test_the_ledger_says_that_the_machines_are_converged"]

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(15)]


def test_the_ledger_says_that_the_machines_are_converged(
    pg_converged: Converge | None,  # noqa: ARG001 - comes first
    pg_converge_failure: ConvergeError | None,
    pg_settings: Settings,
) -> None:
    assert pg_converge_failure is None, str(pg_converge_failure)
    record = Ledger(pg_settings.state_directory).read()
    assert record is not None
    assert record.phase == "converged"
