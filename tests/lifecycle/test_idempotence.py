"""Phase idempotence: a second converge changes nothing on any host; the plugin's tests, in this cluster's order."""

from __future__ import annotations

import pytest

from proving_ground.plugin.step_tests import test_idempotence, test_idempotence_outside_roles

__all__ = ["test_idempotence", "test_idempotence_outside_roles"]

pytestmark = [pytest.mark.lifecycle, pytest.mark.order(16)]
