"""Keys of the depot's content change with what is built: for it, for what is made of it, and for nothing else."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from proving_ground.core.errors import DepotError
from proving_ground.depot import recipe as recipes
from proving_ground.depot.depot import Depot, content_of, read, read_release
from proving_ground.depot.recipe import Source

ROOT = Path(__file__).parents[3]
RECIPE = """
probe: {build: go, version: 1.0.0, directory: go/probe, programs: {probe: .}, view: {bin/probe: probe}, disk: 10}
tree: {build: debian, version: bookworm, directory: trees, packages: [iptables], variant: extract, output: tree.tar}
probe-image: {build: image, image: probe, layers: [{tree: tree/tree.tar}, {files: {/bin/probe: probe/probe}}]}
other: {build: go, version: 2.0.0, directory: go/other, programs: {other: .}, view: {bin/other: other}}
"""
CONTENTS = {"go/probe": "a", "go/other": "b", "trees": "c"}


def keys(text: str = RECIPE, contents: Mapping[str, str] = CONTENTS, architecture: str = "amd64") -> dict[str, str]:
    return recipes.keys(recipes.parse(Source(text)), contents, architecture)


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
        recipes.parse(Source(text))


def test_depot_only_selects_by_name_and_by_view_directory_with_inputs() -> None:
    recipe = recipes.parse(Source(RECIPE))
    assert list(recipes.select(recipe, ["images"])) == ["probe", "tree", "probe-image"]
    assert list(recipes.select(recipe, ["bin"])) == ["probe", "other"]
    assert list(recipes.select(recipe, ["tree", "other"])) == ["tree", "other"]
    with pytest.raises(DepotError, match="nothing in the recipe is called nonsense"):
        recipes.select(recipe, ["nonsense"])


GROUPED = f"""{RECIPE}
suite: {{build: go, group: upstream, directory: go/other, programs: {{suite: .}}, view: {{bin/suite: suite}}}}
suite-image:
  build: image
  group: upstream
  image: suite
  layers: [{{files: {{/suite: suite/suite, /probe: probe/probe}}}}]
"""


def test_depot_group_is_selected_by_its_name_with_inputs_and_by_no_directory_of_the_view() -> None:
    recipe = recipes.parse(Source(GROUPED))
    assert list(recipes.select(recipe, ["upstream"])) == ["probe", "suite", "suite-image"]
    assert list(recipes.select(recipe, ["images"])) == ["probe", "tree", "probe-image"]
    assert list(recipes.select(recipe, ["bin"])) == ["probe", "other"]
    assert list(recipes.select(recipe, ["suite"])) == ["suite"]


def test_depot_group_changes_no_key() -> None:
    assert keys(GROUPED) == keys(GROUPED.replace("group: upstream", "group: others"))


def test_depot_without_a_choice_builds_no_group_and_nothing_for_one_provider(tmp_path: Path) -> None:
    for name in CONTENTS:
        (tmp_path / name).mkdir(parents=True)
    text = GROUPED + "\nkernel: {build: go, provider: libvirt, programs: {kernel: .}}\n"
    (tmp_path / "depot.yml").write_text(text, encoding="utf-8")
    depot = Depot(tmp_path, tmp_path / "cache")
    assert [component.name for component in depot.plan().missing] == ["probe", "tree", "probe-image", "other"]
    assert [component.name for component in depot.plan(["upstream"]).missing] == ["probe", "suite", "suite-image"]


def test_depot_all_that_is_wrong_in_a_recipe_is_told_at_once() -> None:
    text = "a: {build: make}\nb:\n  build: box\n  parts: {rootfs: c/d, kernel: a/b}\n  dsik: 1"
    with pytest.raises(DepotError) as caught:
        recipes.parse(Source(text, "depot/depot.yml"))
    assert [line.rpartition(" — ")[0] for line in str(caught.value).splitlines()] == [
        "depot/depot.yml:1: a.build: make is none of go, debian, pip, image, box",
        "depot/depot.yml:2: b: c has to come before it",
        "depot/depot.yml:5: b.dsik: unknown key",
    ]
    assert caught.value.exit_code == 13


PROGRAMS = """
kubernetes: {build: go, directory: go/kubernetes, programs: {kubernetes: .}}
etcd: {build: go, version: 3.7.3, directory: go/etcd, programs: {etcd: .}}
image: {build: image, image: kubernetes, layers: [{files: {/kubernetes: kubernetes/kubernetes}}]}
"""


def released(release: str) -> dict[str, str]:
    """The keys with a release; each directory's content is its name."""
    recipe = recipes.parse(Source(PROGRAMS), Source(release, "depot/releases/1.36.yml"))
    contents = {path: path for component in recipe.values() for path in component.directories}
    return recipes.keys(recipe, contents, "amd64")


def test_depot_release_completes_components_and_changes_their_keys_and_no_others() -> None:
    recipe = recipes.parse(Source(PROGRAMS), Source('kubernetes: {version: "1.36.5"}'))
    assert (recipe["kubernetes"].version, recipe["kubernetes"].directory) == ("1.36.5", "go/kubernetes")
    assert list(recipe) == ["kubernetes", "etcd", "image"]
    assert changed(released(""), released('kubernetes: {version: "1.36.5"}')) == {"kubernetes", "image"}
    assert changed(released(""), released("etcd: {version: 3.6.16, directory: go/etcd-3.6}")) == {"etcd"}


def test_depot_go_module_of_a_release_is_a_part_of_the_key() -> None:
    release = "kubernetes: {module: go/kubernetes-1.36}"
    assert changed(released(""), released(release)) == {"kubernetes", "image"}
    recipe = recipes.parse(Source(PROGRAMS), Source(release))
    contents = {"go/kubernetes": "a", "go/etcd": "b", "go/kubernetes-1.36": "c"}
    other = recipes.keys(recipe, contents | {"go/kubernetes-1.36": "d"}, "amd64")
    assert changed(recipes.keys(recipe, contents, "amd64"), other) == {"kubernetes", "image"}


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ("kubernetse: {}", r"^depot/releases/1\.36\.yml:1: kubernetse: depot\.yml has no such .* mean kubernetes\?$"),
        ("- etcd", r"^depot/releases/1\.36\.yml:1: is \['etcd'\] — write a mapping of components by name$"),
        ("etcd: [", r"^depot/releases/1\.36\.yml"),
        ("etcd:\n  verison: 3", r"^depot/releases/1\.36\.yml:2: etcd\.verison: unknown key — did you mean version\?$"),
        ("etcd: 3.6.16", r"^depot/releases/1\.36\.yml:1: etcd: is \"3\.6\.16\" — write a mapping"),
    ],
)
def test_depot_release_that_cannot_be_is_refused_with_its_place(release: str, message: str) -> None:
    with pytest.raises(DepotError, match=message):
        released(release)


def test_depot_problem_of_the_recipe_is_not_blamed_on_the_release() -> None:
    with pytest.raises(DepotError, match=r"^depot\.yml:1: etcd\.bild: unknown key"):
        recipes.parse(Source("etcd: {build: go, programs: {}, bild: 1}"), Source("etcd: {version: 3.6.16}", "1.36.yml"))


def test_depot_release_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "depot.yml").write_text(PROGRAMS)
    (tmp_path / "releases" / "1.36.yml").write_text("")
    with pytest.raises(DepotError, match=r"releases/: there is no release 1\.63 — did you mean 1\.36\?$"):
        read_release(tmp_path, "1.63")


def test_depot_that_offers_releases_needs_one_to_be_chosen(tmp_path: Path) -> None:
    assert read_release(tmp_path, "") is None
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "1.36.yml").write_text("")
    with pytest.raises(DepotError, match=r"releases/: no release is chosen — set `release` .* to one of: 1\.36$"):
        read_release(tmp_path, "")


RELEASES = sorted(path.stem for path in (ROOT / "depot" / "releases").glob("*.yml"))


@pytest.mark.parametrize("release", RELEASES)
def test_depot_recipe_of_this_repository_is_right_with_each_release(release: str) -> None:
    recipe = recipes.parse(read(ROOT / "depot" / "depot.yml"), read_release(ROOT / "depot", release))
    assert len(recipe) > 20
    version = recipe["kubernetes"].version or ""
    assert version.startswith(f"{release}.")
    module = ROOT / "depot" / (recipe["kubernetes"].module or recipe["kubernetes"].directory or "")
    assert f"k8s.io/kubernetes v{version}\n" in (module / "go.mod").read_text(encoding="utf-8")
    said = {name.rpartition(".")[2]: text for name, text in recipe["kubernetes"].settings["variables"].items()}
    major, minor, _ = version.split(".")
    assert (said["gitVersion"], said["gitMajor"], said["gitMinor"]) == (f"v{version}", major, minor)
    suites = recipe["kubernetes-e2e"]
    assert (suites.version, suites.settings["variables"]) == (version, recipe["kubernetes"].settings["variables"])
    module = ROOT / "depot" / (suites.module or suites.directory or "")
    assert f"k8s.io/kubernetes v{version}\n" in (module / "go.mod").read_text(encoding="utf-8")


def test_depot_releases_are_the_versions_that_the_project_has_a_profile_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["proving-ground"]
    chosen = {name: profile["release"] for name, profile in project["profiles"].items() if "release" in profile}
    assert chosen == {f"kubernetes-{release}": release for release in RELEASES}
    assert project["release"] == RELEASES[-1] == "1.37"
