"""Each image of a matrix has its own machines: names, groups and addresses say which are whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.image_matrix import short_names
from proving_ground.core.plan import plan_of
from proving_ground.core.project import read_project
from proving_ground.core.settings import Settings, usual_provider
from proving_ground.core.topology import Topology

IMAGES = 'images = ["debian:12", "debian:13"]'


def plan(root: Path, text: str = "", images: str = IMAGES, profile: str = "") -> Topology:
    (root / "pyproject.toml").write_text(f"[tool.proving-ground]\n{images}\n{text}\n", encoding="utf-8")
    project = read_project(root, profile)
    return plan_of(Settings(root, "run", provider=usual_provider(project), profile=profile, project=project))


def test_a_project_without_machines_has_one_of_each_image_called_as_it_is(tmp_path: Path) -> None:
    found = plan(tmp_path)
    assert [(node.name, node.image) for node in found.nodes] == [("debian-12", "debian:12"), ("debian-13", "debian:13")]
    assert [node.groups for node in found.nodes] == [("machine", "image_debian_12"), ("machine", "image_debian_13")]
    assert len({node.address for node in found.nodes}) == 2


def test_several_machines_of_one_kind_are_numbered(tmp_path: Path) -> None:
    found = plan(tmp_path, "machines.web = {count = 2, numbered = true}")
    assert [node.name for node in found.nodes] == ["debian-12-01", "debian-12-02", "debian-13-01", "debian-13-02"]
    assert len(found.group("web")) == 4


def test_each_image_has_all_kinds_of_machines_in_their_groups(tmp_path: Path) -> None:
    found = plan(tmp_path, "machines.web = {count = 2, octet = 50}\nmachines.db = {numbered = false}")
    assert [node.name for node in found.nodes] == [
        *("debian-12-web-01", "debian-12-web-02", "debian-12-db"),
        *("debian-13-web-01", "debian-13-web-02", "debian-13-db"),
    ]
    assert [node.name for node in found.group("web")] == [node.name for node in found.nodes if "web" in node.name]
    assert [node.name for node in found.group("image_debian_13")] == [node.name for node in found.nodes[3:]]
    assert {node.variables["image_group"] for node in found.nodes[3:]} == {"image_debian_13"}
    assert [str(node.address) for node in found.nodes[:2]] == ["10.0.0.50", "10.0.0.51"]
    assert len({node.address for node in found.nodes}) == len(found.nodes)


def test_a_kind_with_an_image_of_its_own_has_that_in_every_set(tmp_path: Path) -> None:
    found = plan(tmp_path, 'machines.web = {}\nmachines.db = {image = "ubuntu:24.04"}')
    assert [node.image for node in found.group("db")] == ["ubuntu:24.04", "ubuntu:24.04"]


def test_the_machines_of_a_topology_file_are_repeated_as_well(tmp_path: Path) -> None:
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {db: {}, web: {}}", encoding="utf-8")
    assert [node.name for node in plan(tmp_path).group("db")] == ["debian-12-db-01", "debian-13-db-01"]


def test_variables_of_an_images_group_are_possible(tmp_path: Path) -> None:
    found = plan(tmp_path, "group_variables.image_debian_12 = {old = true}")
    assert found.group_variables == {"image_debian_12": {"old": True}}


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["debian:12", "registry.example/library/ubuntu:24.04"], ["debian-12", "ubuntu-24-04"]),
        (["debian", "geerlingguy/docker-debian12-ansible:latest"], ["debian", "docker-debian12-ansible"]),
        (["one/web:1", "two/web:1"], ["one-web-1", "two-web-1"]),
        (["images/rootfs.tar.gz", "3proxy:1"], ["rootfs", "image-3proxy-1"]),
    ],
)
def test_an_images_short_name_is_that_of_a_host(images: list[str], expected: list[str]) -> None:
    assert list(short_names(images).values()) == expected


@pytest.mark.parametrize(
    ("images", "text", "message"),
    [
        ('images = ["debian:12", "debian:12"]', "", r":2: images\[1\]: debian:12 is there twice — drop one"),
        ('images = ["a:1", "a-1"]', "", r":2: images\[1\]: a-1 and a:1 would be called a-1"),
        ("images = []", "", r":2: images: is \[\] — write a list of texts that is not empty"),
        (IMAGES, 'image = "debian:12"', r":2: images: image stands there, too — write one of them"),
        ("imgaes = []", "", r":2: imgaes: unknown key — did you mean images\?"),
        (IMAGES, 'machines.web = {ports = ["80:80"]}', r":3: machines\.debian-13\.ports\[0\]: more than one machine"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, images: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"pyproject\.toml{message}"):
        plan(tmp_path, text, images)


def test_a_profile_replaces_a_matrix_by_one_image_and_one_image_by_a_matrix(tmp_path: Path) -> None:
    one = '[tool.proving-ground.profiles.one]\nimage = "debian:12"\n'
    assert [node.name for node in plan(tmp_path, one, profile="one").nodes] == ["machine-01"]
    matrix = f"[tool.proving-ground.profiles.all]\n{IMAGES}\n"
    assert len(plan(tmp_path, matrix, 'image = "debian:11"', profile="all").nodes) == 2


def test_a_test_of_one_image_does_not_name_another_whose_name_it_begins_with(tmp_path: Path) -> None:
    found = plan(tmp_path, images='images = ["debian:1", "debian:12"]')
    assert [node.name for node in found.named_in("steps::test_idempotence[debian-12-role]")] == ["debian-12"]
    assert [node.name for node in found.named_in("test_web.py::test_a[debian-1]")] == ["debian-1"]
