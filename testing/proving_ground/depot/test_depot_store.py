"""Entries and view of the depot: whole or not there, checked against their manifest, linked and not copied."""

import json
import os
import signal
from pathlib import Path

import pytest

from proving_ground.cli.depot import interrupt
from proving_ground.cli.main import main
from proving_ground.core.errors import DepotError
from proving_ground.depot import care
from proving_ground.depot.depot import Depot
from proving_ground.depot.store import Entry, Store


def add_entry(store: Store, name: str = "tool", key: str = "k1") -> Entry:
    with store.making(name) as out:
        (out / "tool").write_bytes(b"binary")
        return store.publish(out, name, key, {"reference": "r"})


def test_depot_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def interrupted() -> None:
        with store.making("tool") as out:
            (out / "tool").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not store.has("tool", "k1")
    assert list(store.work.iterdir()) == []


def test_depot_sweep_removes_what_a_killed_build_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (store.work / "tool-killed").mkdir(parents=True)
    store.sweep()
    assert not store.work.exists()


def test_depot_published_entry_is_read_back_with_its_facts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    add_entry(store)
    entry = store.load("tool", "k1")
    store.verify("tool", entry, thorough=True)
    assert entry.facts == {"reference": "r"}
    assert entry.files["tool"]["size"] == 6


def test_depot_changed_file_of_an_entry_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = add_entry(store)
    path = entry.file("tool")
    path.chmod(0o644)
    path.write_bytes(b"BINARY")
    with pytest.raises(DepotError, match=r"tool: corrupt: .*/tool/k1/tool is not what was built.*depot repair"):
        store.verify("tool", entry)


def test_depot_missing_file_of_an_entry_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = add_entry(store)
    entry.file("tool").unlink()
    with pytest.raises(DepotError, match=r"/tool/k1/tool is missing"):
        store.verify("tool", entry)


def test_depot_touched_file_with_the_same_content_is_no_corruption(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = add_entry(store)
    os.utime(entry.file("tool"), (1, 1))
    store.verify("tool", entry)
    assert entry.file("tool").stat().st_mtime_ns == entry.files["tool"]["mtime"]


def test_depot_change_that_keeps_size_and_time_is_found_by_the_thorough_check(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = add_entry(store)
    path = entry.file("tool")
    path.chmod(0o644)
    path.write_bytes(b"BINARY")
    os.utime(path, ns=(entry.files["tool"]["mtime"],) * 2)
    store.verify("tool", entry)
    with pytest.raises(DepotError, match="is not what was built"):
        store.verify("tool", entry, thorough=True)


def test_depot_damaged_manifest_is_a_corrupt_entry(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = add_entry(store)
    (entry.path / "manifest.json").write_text("{")
    with pytest.raises(DepotError, match=r"manifest.json cannot be read"):
        store.load("tool", "k1")


@pytest.mark.usefixtures("compile_tool")
def test_depot_fill_makes_a_view_of_hard_links_with_its_index(checkout: Path, tmp_path: Path) -> None:
    view = Depot(checkout / "depot", tmp_path / "cache").ensure()
    assert (view.path / "bin" / "tool").samefile(next(tmp_path.glob("cache/depot/entries/tool/*/tool")))
    assert (view.path / "bin" / "alias").read_text() == "package main"
    index = json.loads((view.path / "view.json").read_text())
    assert index == {
        "key": view.key,
        "images": view.images,
        "versions": {"tool": "1.0.0"},
        "layers": [*(view.layers or ())],
    }
    assert view.path.name == view.key
    assert (view.path / "images" / "tool.tar").is_file()


def test_depot_warm_and_offline_builds_nothing_and_gives_the_same_view(
    checkout: Path, tmp_path: Path, compile_tool: list[str]
) -> None:
    first = Depot(checkout / "depot", tmp_path / "cache").ensure()
    second = Depot(checkout / "depot", tmp_path / "cache").ensure(offline=True)
    assert first == second
    assert compile_tool == ["tool"]


@pytest.mark.usefixtures("compile_tool")
def test_depot_cold_and_offline_names_what_is_missing(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(DepotError, match="not in the cache: tool, tool-image"):
        Depot(checkout / "depot", tmp_path / "cache").ensure(offline=True)


def test_depot_changed_source_is_built_anew_and_gives_another_view_and_image(
    checkout: Path, tmp_path: Path, compile_tool: list[str]
) -> None:
    before = Depot(checkout / "depot", tmp_path / "cache").ensure()
    (checkout / "depot" / "go" / "tool" / "main.go").write_text("package other")
    after = Depot(checkout / "depot", tmp_path / "cache").ensure()
    assert compile_tool == ["tool", "tool"]
    assert after.key != before.key
    assert after.images["tool"] != before.images["tool"]
    assert before.path.is_dir()


@pytest.mark.usefixtures("compile_tool")
def test_depot_view_with_a_file_gone_is_made_whole_again(checkout: Path, tmp_path: Path) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    view = depot.ensure()
    (view.path / "bin" / "tool").unlink()
    assert depot.ensure() == view
    assert (view.path / "bin" / "tool").is_file()


@pytest.mark.usefixtures("compile_tool")
def test_depot_repair_removes_the_corrupt_entry_and_the_next_fill_builds_it(checkout: Path, tmp_path: Path) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    view = depot.ensure()
    binary = next(tmp_path.glob("cache/depot/entries/tool/*/tool"))
    binary.chmod(0o644)
    binary.write_bytes(b"broken")
    with pytest.raises(DepotError, match="is not what was built"):
        depot.ensure()
    assert len(care.check(depot)) == 1
    assert care.repair(depot) == ["tool"]
    assert depot.ensure() == view
    assert care.check(depot) == []
    assert (view.path / "bin" / "tool").read_text() == "package main"


@pytest.mark.usefixtures("compile_tool")
def test_depot_prune_keeps_what_is_needed_and_what_was_asked_for_lately(checkout: Path, tmp_path: Path) -> None:
    depot = Depot(checkout / "depot", tmp_path / "cache")
    depot.ensure()
    old = add_entry(depot.store, "tool", "old").path
    lately = add_entry(depot.store, "tool", "lately").path
    os.utime(old, (1, 1))
    assert care.prune(depot, days=30) == [old]
    assert lately.is_dir()
    assert depot.plan().missing == []


def depot_command(checkout: Path, *words: str) -> int:
    (checkout / "pyproject.toml").write_text("[tool.proving-ground]\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout)
        return main(["depot", "--cache", str(checkout / "cache"), *words])


def test_the_depots_commands_fill_list_check_and_repair(
    checkout: Path, compile_tool: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert depot_command(checkout, "list") == 0
    assert capsys.readouterr().out.count("missing") == 2
    assert depot_command(checkout, "fill", "--offline") == 13
    assert "not in the cache: tool" in capsys.readouterr().err
    assert depot_command(checkout, "fill") == 0
    view = Path(capsys.readouterr().out.splitlines()[-1])
    assert (view / "bin" / "tool").read_text(encoding="utf-8") == "package main"
    assert depot_command(checkout, "path") == 0
    assert capsys.readouterr().out.strip() == str(view)
    assert depot_command(checkout, "check") == 0
    assert "2 entries, 0 corrupt" in capsys.readouterr().out
    (broken,) = (checkout / "cache" / "depot" / "entries" / "tool").glob("*/tool")
    broken.chmod(0o755)
    broken.write_bytes(b"package moon")
    assert depot_command(checkout, "check") == 13
    assert "1 corrupt" in capsys.readouterr().out
    assert depot_command(checkout, "repair") == 0
    assert "removed: tool; `proving-ground depot fill` builds it anew" in capsys.readouterr().out
    assert depot_command(checkout, "fill") == 0
    assert compile_tool == ["tool", "tool"]
    assert depot_command(checkout, "prune", "--days", "30") == 0
    assert "0 removed" in capsys.readouterr().out


def test_a_depots_command_that_is_interrupted_says_what_stays(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        interrupt()

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(Depot, "ensure", interrupted)
    assert depot_command(checkout, "fill") == 130
    assert "what is built stays" in capsys.readouterr().err
