"""A small depot with one program and its image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proving_ground.depot import build
from proving_ground.depot.job import Job

RECIPE = """
tool:
  build: go
  version: 1.0.0
  directory: go/tool
  programs: {tool: .}
  view: {bin/tool: tool}
  links: {bin/alias: tool}
tool-image: {build: image, image: tool, layers: [{files: {/bin/tool: tool/tool}}], entrypoint: [/bin/tool]}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "depot" / "go" / "tool").mkdir(parents=True)
    (root / "depot" / "go" / "tool" / "main.go").write_text("package main")
    (root / "depot" / "depot.yml").write_text(RECIPE)
    return root


@pytest.fixture
def compile_tool(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A compiler that costs nothing; counts its runs."""
    runs: list[str] = []

    def compiler(job: Job) -> dict[str, Any]:
        runs.append(job.component.name)
        (job.out / "tool").write_bytes((job.directory / "main.go").read_bytes())
        (job.out / "tool").chmod(0o755)
        return {}

    monkeypatch.setitem(build.BUILDERS, "go", compiler)
    monkeypatch.setattr(build, "preflight", lambda *_: None)
    return runs
