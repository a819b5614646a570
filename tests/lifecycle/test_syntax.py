"""Phase syntax: the playbook parses, before anything is made."""

from __future__ import annotations

import pytest

from fixtures.lifecycle import Lifecycle
from fixtures.session import attempt

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(1)]


def test_the_playbook_and_its_roles_parse(lifecycle: Lifecycle, pytestconfig: pytest.Config) -> None:
    attempt(pytestconfig, lifecycle.syntax)  # where they do not, there is nothing to make machines for
