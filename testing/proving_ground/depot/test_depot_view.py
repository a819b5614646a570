"""A view that machines were made with is read again as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import DepotError
from proving_ground.depot.view import View, read


def test_a_view_is_read_from_its_index(tmp_path: Path) -> None:
    text = '{"key": "abc", "images": {"pause": "x/pause:1"}, "versions": {"etcd": "3.7.3"}}'
    (tmp_path / "view.json").write_text(text, encoding="utf-8")
    assert read(tmp_path) == View(tmp_path, "abc", {"pause": "x/pause:1"}, {"etcd": "3.7.3"})


def test_a_view_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(DepotError, match=r"gone.*proving-ground depot fill"):
        read(tmp_path / "gone")
