"""Keys of the depot's content change with what is built: for it, for what is made of it, and for nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from proving_ground.core.errors import DepotError
from proving_ground.depot import recipe as recipes
from proving_ground.depot.depot import content_of

ROOT = Path(__file__).parents[3]
RECIPE = """
probe: {build: go, version: 1.0.0, directory: go/probe, programs: {probe: .}, view: {bin/probe: probe}, disk: 10}
tree: {build: debian, version: bookworm, directory: trees, packages: [iptables], variant: extract, output: tree.tar}
probe-image: {build: image, image: probe, layers: [{tree: tree/tree.tar}, {files: {/bin/probe: probe/probe}}]}
other: {build: go, version: 2.0.0, directory: go/other, programs: {other: .}, view: {bin/other: other}}
"""
CONTENTS = {"go/probe": "a", "go/other": "b", "trees": "c"}


def keys(text: str = RECIPE, contents: Mapping[str, str] = CONTENTS, architecture: str = "amd64") -> dict[str, str]:
    return recipes.keys(recipes.parse(text), contents, architecture)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_depot_keys_are_the_same_for_the_same_content() -> None:
    assert keys() == keys()


def test_depot_changed_pin_changes_the_component_and_its_image_only() -> None:
    assert changed(keys(), keys(RECIPE.replace("1.0.0", "1.0.1"))) == {"probe", "probe-image"}


def test_depot_changed_file_changes_the_component_and_its_dependants_only() -> None:
    assert changed(keys(), keys(contents={**CONTENTS, "trees": "d"})) == {"tree", "probe-image"}


def test_depot_place_in_the_view_and_disk_estimate_change_no_key() -> None:
    text = RECIPE.replace("{bin/probe: probe}", "{sbin/probe: probe}").replace("disk: 10", "disk: 20")
    assert keys() == keys(text)


def test_depot_architecture_changes_every_key() -> None:
    assert changed(keys(), keys(architecture="arm64")) == set(keys())


def test_depot_content_of_a_directory_ignores_go_tests_and_sees_everything_else(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text("package main")
    before = content_of(tmp_path)
    (tmp_path / "main_test.go").write_text("package main")
    assert content_of(tmp_path) == before
    (tmp_path / "main.go").chmod(0o755)
    executable = content_of(tmp_path)
    assert executable != before
    (tmp_path / "main.go").rename(tmp_path / "other.go")
    assert content_of(tmp_path) != executable


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {build: make}", "make is none of"),
        ("a: {build: image, layers: [{tree: b/tree.tar}]}\nb: {build: debian}", "b has to come before it"),
        ("a: [", "depot.yml"),
        ("- a", r'depot\.yml:1: is \["a"\] — write a mapping of components by name$'),
        ("a: 3", r"depot\.yml:1: a: is 3 — write a mapping of keys and values$"),
        ("a:\n  build: pipp", r"depot\.yml:2: a\.build: pipp is none of .* — did you mean pip\?$"),
        ("a:\n  version: x", r"depot\.yml:1: a: needs the key build — "),
        ("a: {build: go}", r"depot\.yml:1: a: needs the key programs — add programs: \{NAME: PACKAGE\}$"),
        ("a:\n  build: go\n  programs: {}\n  dsik: 3", r"depot\.yml:4: a\.dsik: unknown key — did you mean disk\?$"),
        ("a:\n  build: go\n  programs: {}\n  version: 1.5", r":4: a\.version: is 1\.5 — write text in quotes$"),
        (
            "a:\n  build: image\n  image: a\n  layers: [{tre: b/c}]",
            r":4: a\.layers\[0\]\.tre: unknown key — did you mean tree",
        ),
        ("a:\n  build: image\n  image: a\n  layers: [b/c]", r":4: a\.layers\[0\]: is \"b/c\" — write a mapping"),
    ],
)
def test_depot_recipe_that_cannot_be_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DepotError, match=message):
        recipes.parse(text)


def test_depot_only_selects_by_name_and_by_view_directory_with_inputs() -> None:
    recipe = recipes.parse(RECIPE)
    assert list(recipes.select(recipe, ["images"])) == ["probe", "tree", "probe-image"]
    assert list(recipes.select(recipe, ["bin"])) == ["probe", "other"]
    assert list(recipes.select(recipe, ["tree", "other"])) == ["tree", "other"]
    with pytest.raises(DepotError, match="nothing in the recipe is called nonsense"):
        recipes.select(recipe, ["nonsense"])


def test_depot_all_that_is_wrong_in_a_recipe_is_told_at_once() -> None:
    text = "a: {build: make}\nb:\n  build: box\n  parts: {rootfs: c/d, kernel: a/b}\n  dsik: 1"
    with pytest.raises(DepotError) as caught:
        recipes.parse(text, "depot/depot.yml")
    assert [line.rpartition(" — ")[0] for line in str(caught.value).splitlines()] == [
        "depot/depot.yml:1: a.build: make is none of go, debian, pip, image, box",
        "depot/depot.yml:2: b: c has to come before it",
        "depot/depot.yml:5: b.dsik: unknown key",
    ]
    assert caught.value.exit_code == 13


def test_depot_recipe_of_this_repository_is_right() -> None:
    text = (ROOT / "depot" / "depot.yml").read_text(encoding="utf-8")
    assert len(recipes.parse(text)) > 20
