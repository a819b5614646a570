"""Which machines a project has: those of a topology file, of pyproject.toml, or one."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.project import Project
from proving_ground.core.settings import Settings
from proving_ground.core.topology import Topology


def plan(root: Path, topology: str = "default", **project: object) -> Topology:
    return plan_of(Settings(root, "run", topology=topology, project=Project(**project)))  # type: ignore[arg-type]


def test_a_project_with_an_image_alone_has_one_machine(tmp_path: Path) -> None:
    assert [node.name for node in plan(tmp_path, image="debian:12").nodes] == ["machine-01"]


def test_machines_can_stand_in_pyproject(tmp_path: Path) -> None:
    machines: tuple[tuple[str, object], ...] = (("web", {"count": 2, "groups": ["front"]}), ("db", {}))
    found = plan(tmp_path, image="debian:12", machines=machines)
    assert [node.name for node in found.nodes] == ["web-01", "web-02", "db-01"]
    assert found.groups == ("front", "db")


def test_a_wrong_key_of_a_machine_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pyproject\.toml \[tool\.proving-ground\].*machines\.web\.cuont") as caught:
        plan(tmp_path, image="debian:12", machines=(("web", {"cuont": 2}),))
    assert "count" in caught.value.hint


def test_a_topology_file_counts_more_than_one_machine_by_default(tmp_path: Path) -> None:
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {db: {}}\n", encoding="utf-8")
    assert [node.name for node in plan(tmp_path, image="debian:12").nodes] == ["db-01"]


def test_another_topology_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown topology 'lagre'"):
        plan(tmp_path, "lagre", image="debian:12")
