"""Phase syntax: the playbook parses, before anything is made. The plugin's own test, in this cluster's order."""

from __future__ import annotations

import pytest

from proving_ground.plugin.step_tests import test_syntax

__all__ = ["test_syntax"]

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(1)]
