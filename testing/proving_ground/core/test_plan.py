"""Which machines a project has: those of a topology file, of pyproject.toml, or one."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.project import Project, read_project
from proving_ground.core.settings import Settings, usual_provider
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


def written(root: Path, text: str, provider: str = "container") -> Topology:
    """The plan of a project whose table ends with this text."""
    (root / "pyproject.toml").write_text(f'[tool.proving-ground]\nimage = "debian:12"\n{text}', encoding="utf-8")
    return plan_of(Settings(root, "run", provider=provider, project=read_project(root)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("machines.web = {cuont = 2}", r":3: machines\.web\.cuont: unknown key — did you mean count\?"),
        (
            "[tool.proving-ground.machines.web]\ncount = 2\nmemory = 5",
            r":5: machines\.web\.memory: is 5 — write a whole number, 64 or more",
        ),
        ("machines = {}", r":3: machines: is \{\} — write a mapping .* that is not empty"),
        ("group_variables.wbe = {}\nmachines.web = {}", r":3: group_variables\.wbe: .* — did you mean web\?"),
        ("variables = 3", r":3: variables: is 3 — write a mapping of keys and values"),
        ("networks.machines = 'ten'", r":3: networks\.machines: 'ten' is no IPv4 network"),
        ("machines.a = {octet = 9}\nmachines.b = {octet = 9}", r":4: machines\.b: a-01 and b-01 share 10\.0\.0\.9"),
        ("varaibles = {}", r":3: varaibles: unknown key — did you mean variables\?"),
    ],
)
def test_what_is_wrong_with_machines_in_pyproject_has_its_line_and_the_nearest_word(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=rf"pyproject\.toml{message}"):
        written(tmp_path, text)


def test_a_projects_variables_and_networks_are_those_of_its_machines(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        "variables = {port = 8080}\nnetworks.machines = '10.7.0.0/24'\n"
        "group_variables.web = {port = 80}\nmachines.web = {variables = {id = 1}}\n",
    )
    assert found.variables == {"port": 8080}
    assert found.group_variables == {"web": {"port": 80}}
    assert [(str(node.address), node.variables) for node in found.nodes] == [("10.7.0.11", {"id": 1})]


def test_a_projects_variables_are_those_of_its_one_machine_and_of_a_topology_file(tmp_path: Path) -> None:
    assert written(tmp_path, "variables = {port = 8080}").variables == {"port": 8080}
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {db: {}}\nvariables: {a: 1}\n", encoding="utf-8")
    assert written(tmp_path, "variables = {port = 8080}").variables == {"port": 8080, "a": 1}


def test_an_image_of_a_machine_makes_containers_the_usual_provider() -> None:
    two = Project(machines=(("web", {"image": "debian:13"}), ("db", None)))
    assert usual_provider(two, ["docker"].count) == "container"
    assert usual_provider(Project(machines=(("web", {}),))) == "docker"


@pytest.mark.parametrize("provider", ["container", "podman"])
def test_both_engines_use_what_a_machine_says_of_its_container(tmp_path: Path, provider: str) -> None:
    project = Project(machines=(("web", {"image": "debian:13", "ports": ["8080:80"]}),))
    (node,) = plan_of(Settings(tmp_path, "run", provider=provider, project=project)).nodes
    assert node.image == "debian:13"


def test_what_the_provider_would_ignore_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"provider docker does not use image, ports of web-01") as caught:
        written(tmp_path, "machines.web = {image = 'debian:13', ports = ['80'], cpus = 2}", provider="docker")
    assert "--pg-provider container" in caught.value.hint


def test_a_name_that_the_provider_cannot_give_is_refused(tmp_path: Path) -> None:
    assert written(tmp_path, "machines.web_1 = {}").nodes[0].name == "web_1-01"
    with pytest.raises(UsageError, match=r"provider docker cannot call a machine web_1-01") as caught:
        written(tmp_path, "machines.web_1 = {}", provider="docker")
    assert "hyphens and dots" in caught.value.hint


def test_a_topology_file_counts_more_than_one_machine_by_default(tmp_path: Path) -> None:
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "default.yml").write_text("machines: {db: {}}\n", encoding="utf-8")
    assert [node.name for node in plan(tmp_path, image="debian:12").nodes] == ["db-01"]


def test_another_topology_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown topology 'lagre'"):
        plan(tmp_path, "lagre", image="debian:12")


@pytest.mark.parametrize(
    ("programs", "provider"),
    [("docker podman", "container"), ("docker", "container"), ("podman", "podman"), ("", "container")],
)
def test_podman_makes_the_containers_where_there_is_no_docker(programs: str, provider: str) -> None:
    assert usual_provider(Project(image="debian:12"), programs.split().count) == provider
