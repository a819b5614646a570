"""Phase syntax: the playbook parses, before anything is made."""

from __future__ import annotations

import pytest

from proving_ground.lifecycle.lifecycle import Lifecycle
from proving_ground.plugin.run import run_of

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(1)]


def test_the_playbook_and_its_roles_parse(pg_lifecycle: Lifecycle, pytestconfig: pytest.Config) -> None:
    run_of(pytestconfig).attempt(pg_lifecycle.syntax)  # where they do not, there is nothing to make machines for
