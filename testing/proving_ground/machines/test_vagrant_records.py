"""Vagrant's records of machines that are gone: dropped in Vagrant's own files, and in nobody else's part of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from proving_ground.machines import vagrant_records
from proving_ground.machines.vagrant_records import drop_records


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Vagrant's index, as Vagrant 2.3 and 2.4 write it, with machines of this project and of another."""
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "home"))
    path = tmp_path / "home" / "data" / "machine-index" / "index"
    path.parent.mkdir(parents=True)
    entries: dict[str, dict[str, Any]] = {
        key: {
            "local_data_path": str(tmp_path / project / ".vagrant"),
            "name": key,
            "provider": "docker",
            "state": "running",
            "vagrantfile_name": None,
            "vagrantfile_path": str(tmp_path / project),
            "updated_at": None,
            "extra_data": {},
        }
        for key, project in [("one", "mine"), ("two", "mine"), ("other", "theirs")]
    }
    path.write_text(json.dumps({"version": 1, "machines": entries}), encoding="utf-8")
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of which Vagrant knows two containers."""
    for name in ("one", "two"):
        known = tmp_path / "mine" / ".vagrant" / "machines" / name / "docker"
        known.mkdir(parents=True)
        (known / "id").write_text("4a7c", encoding="utf-8")
    return tmp_path / "mine"


def known(index: Path) -> list[str]:
    content: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
    return list(content["machines"])


def test_the_projects_machines_are_forgotten_and_no_others(index: Path, project: Path) -> None:
    assert drop_records(project, "docker")
    assert known(index) == ["other"]
    assert not (project / ".vagrant" / "machines").exists()
    assert json.loads(index.read_text(encoding="utf-8"))["version"] == 1
    assert sorted(path.name for path in index.parent.iterdir() if path.suffix != ".lock") == ["index"]


def test_a_host_whose_vagrant_has_no_index_keeps_no_records_either(index: Path, project: Path) -> None:
    index.unlink()
    assert drop_records(project, "docker")
    assert not (project / ".vagrant" / "machines").exists()


@pytest.mark.parametrize(
    "content",
    ['{"version": 2, "machines": {}}', "{", "[]", '{"version": 1, "machines": {"one": {}}}'],
    ids=["another version", "cut off", "a list", "without paths"],
)
def test_an_index_that_is_not_known_is_left_to_vagrant(index: Path, project: Path, content: str) -> None:
    index.write_text(content, encoding="utf-8")
    assert not drop_records(project, "docker")
    assert index.read_text(encoding="utf-8") == content
    assert (project / ".vagrant" / "machines" / "one" / "docker" / "id").exists()


def test_machines_of_another_provider_are_left_to_vagrant(index: Path, project: Path) -> None:
    """Only Vagrant removes what the harness has not removed itself."""
    other = project / ".vagrant" / "machines" / "three" / "virtualbox"
    other.mkdir(parents=True)
    (other / "id").write_text("9", encoding="utf-8")
    assert not drop_records(project, "docker")
    assert known(index) == ["one", "two", "other"]


def test_an_index_that_vagrant_holds_is_left_to_vagrant(
    index: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vagrant_records, "LOCK_SECONDS", 0.1)
    with FileLock(f"{index}.lock"):
        assert not drop_records(project, "docker")
    assert known(index) == ["one", "two", "other"]
