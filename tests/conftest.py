"""What several tests of the harness start from."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def planned(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with this project's default topology; what is asked of this run is not asked of its runs."""
    for name in ("CI", "TOPOLOGY", "PROVIDER", "NETWORK_PREFIX", "CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    (pytester.path / "topology").mkdir()
    plan = (ROOT / "topology" / "default.yml").read_text(encoding="utf-8")
    (pytester.path / "topology" / "default.yml").write_text(plan, encoding="utf-8")
    return pytester
