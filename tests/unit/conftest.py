"""What several unit tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def planned(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty project with this project's default topology."""
    (pytester.path / "topology").mkdir()
    plan = (ROOT / "topology" / "default.yml").read_text(encoding="utf-8")
    (pytester.path / "topology" / "default.yml").write_text(plan, encoding="utf-8")
    return pytester
