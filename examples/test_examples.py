"""Each example runs as its README says: by the wheel, in a fresh environment, outside of this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from examples.running import HERE, assert_nothing_is_left, cases_of, passes, run
from proving_ground.core.errors import MachineError
from proving_ground.core.progress import Progress
from proving_ground.core.settings import Settings
from proving_ground.providers import container_image
from proving_ground.providers.docker_engine import DOCKER
from testing.installed.environments import molecule


@pytest.mark.parametrize("project", ["smallest"], indirect=True)
def test_a_project_with_one_test_and_a_topology_of_three_lines_gets_a_machine(project: Path) -> None:
    files = sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    assert files == ["README.md", "pyproject.toml", "test_web.py", "topology/default.yml"]
    assert len((project / "topology" / "default.yml").read_text(encoding="utf-8").splitlines()) == 3
    passes(project, "pytest")
    assert cases_of(project) == {"test_the_machine_is_up_and_has_its_name[web-01]": []}, "it ran, on that machine"
    assert_nothing_is_left(project, "docker")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["role"], indirect=True)
def test_a_role_and_one_line_get_a_machine_of_a_stock_image(project: Path) -> None:
    assert (project / "pyproject.toml").read_text(encoding="utf-8").splitlines() == [
        "[tool.proving-ground]",
        'image = "debian:12"',
    ]
    assert not list(project.glob("*.yml")), "no playbook, no inventory"
    passes(project, "pytest")
    assert cases_of(project) == {
        "test_syntax": [],
        "test_converge": [],
        "test_idempotence[machine-01-role]": [],
        "test_idempotence_outside_roles": [],
        "test_the_service_serves_the_motto[machine-01]": [],
    }
    assert_nothing_is_left(project, "container")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["role"], indirect=True)
def test_a_role_is_developed_on_machines_that_stay(project: Path) -> None:
    """Up, idempotence, a change, its verdict, a checkpoint, and away: as by hand, one command after the other."""
    for command in (["up"], ["idempotence"], ["verify"]):
        passes(project, "proving_ground.cli", *command)
    tasks = project / "tasks" / "main.yml"
    tasks.write_text(tasks.read_text(encoding="utf-8").replace("test first", "test last"), encoding="utf-8")
    passes(project, "proving_ground.cli", "converge")
    red = run(project, "pytest", "--pg-reuse")
    assert red.returncode == 1, red.stdout
    assert "docker exec -it proving-ground-" in red.stdout, "it says how to look at the machine"
    assert "pytest --pg-reuse 'tests/test_role.py::test_the_service_serves_the_motto[machine-01]'" in red.stdout
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left(project, "container")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["role"], indirect=True)
def test_a_role_starts_from_a_checkpoint_that_still_applies(project: Path) -> None:
    try:
        for expected in (0, 1):
            output = passes(project, "pytest", "--pg-checkpoints", "--pg-keep=never")
            assert output.count("from checkpoint converged of") == expected, output
        assert_nothing_is_left(project, "container")
    finally:
        run(project, "proving_ground.cli", "checkpoints", "--prune", "all")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["upgrade"], indirect=True)
def test_an_upgrade_is_a_step_between_two_checks(project: Path) -> None:
    passes(project, "pytest")
    assert cases_of(project) == {
        "test_syntax": [],
        "test_converge": [],
        "test_idempotence_outside_roles": [],
        "test_version_1_is_installed[machine-01]": [],
        "test_the_upgrade_changes_the_version_and_nothing_else[machine-01]": [],
        "test_the_upgrade_is_idempotent": [],
    }
    assert_nothing_is_left(project, "container")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["parallel"], indirect=True)
def test_workers_share_one_set_of_machines(project: Path) -> None:
    output = passes(project, "pytest", "-v")
    assert output.count("containers done in") == 1, output
    assert {line.split("]")[0] for line in output.splitlines() if line.startswith("[gw")} == {"[gw0", "[gw1"}, output
    served = ("test_the_page_is_served", "test_the_page_belongs_to_root")
    service = ("test_the_service_starts_with_the_machine", "test_the_service_comes_back_after_a_crash")
    own = {f"{name}[web-0{number}]" for name in (*served, *service) for number in (1, 2)}
    assert {str(name) for name, outcome in cases_of(project).items() if not outcome} >= own
    assert_nothing_is_left(project, "container")


@pytest.mark.usefixtures("debian", "debian_13")
@pytest.mark.parametrize("project", ["two-images"], indirect=True)
def test_a_role_is_tested_on_a_machine_of_each_image(project: Path) -> None:
    passes(project, "pytest")
    assert cases_of(project) == {
        "test_syntax": [],
        "test_converge": [],
        "test_idempotence[debian-12-two-images]": [],
        "test_idempotence[debian-13-two-images]": [],
        "test_idempotence_outside_roles": [],
        "test_the_motto_names_the_release[debian-12]": [],
        "test_the_motto_names_the_release[debian-13]": [],
    }
    assert_nothing_is_left(project, "container")


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["cluster"], indirect=True)
def test_a_cluster_of_three_has_groups_variables_and_a_profile(project: Path) -> None:
    passes(project, "pytest")
    assert cases_of(project) == {
        "test_syntax": [],
        "test_converge": [],
        "test_idempotence[store-01-store]": [],
        "test_idempotence[web-01-web]": [],
        "test_idempotence[web-02-web]": [],
        "test_idempotence_outside_roles": [],
        "test_the_store_runs[store-01]": [],
        "test_each_server_shows_the_stores_page[web-01]": [],
        "test_each_server_shows_the_stores_page[web-02]": [],
        "test_other_machines_reach_each_server_by_name[store-01]": [],
    }
    passes(project, "pytest", "--pg-profile", "single", "--pg-keep=always")
    assert "test_the_store_runs[all-in-one]" in cases_of(project)
    other = run(project, "pytest", "--pg-reuse")
    assert other.returncode == 11, other.stdout
    assert "machines of profile 'single'" in other.stdout + other.stderr
    passes(project, "proving_ground.cli", "destroy")
    assert_nothing_is_left(project, "container")


STEPS = {"test_syntax", "test_converge", "test_idempotence_outside_roles"}

OF_MOLECULE = {
    "web": {"test_idempotence[instance-web]", "test_verify[Verify-instance]", "test_the_web_server_runs[instance]"},
    "motto": {
        "test_prepare",
        "test_idempotence[motto_1-motto]",
        "test_verify[Verify-motto_1]",
        "test_the_port_is_the_groups_and_the_text_is_the_hosts[motto_1]",
    },
    "peers": {
        f"{test}[{name}]"
        for test, name in (
            ("test_idempotence", "first-peers"),
            ("test_idempotence", "second-peers"),
            ("test_verify", "Verify-first"),
            ("test_verify", "Verify-second"),
            ("test_each_knows_the_other", "first"),
            ("test_each_knows_the_other", "second"),
        )
    },
}
"""Role → the tests that it has after `migrate` besides those of every playbook."""


@pytest.fixture
def role(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of one of Molecule's roles, with the README of them all; its machines are removed."""
    copy = tmp_path / request.param
    shutil.copytree(HERE / "molecule" / request.param, copy, ignore=shutil.ignore_patterns(".*", "artifacts"))
    shutil.copy(HERE / "molecule" / "README.md", copy)
    yield copy
    run(copy, "proving_ground.cli", "destroy")


def contents(project: Path) -> dict[str, str]:
    return {str(path.relative_to(project)): path.read_text(encoding="utf-8") for path in project.rglob("*.*ml*")}


@pytest.mark.parametrize("role", ["web"], indirect=True)
def test_what_migrate_writes_is_what_the_readme_shows(role: Path) -> None:
    shown = (role / "README.md").read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    assert f"--- pyproject.toml\n{shown}" in passes(role, "proving_ground.cli", "migrate", "--dry-run")


@pytest.mark.parametrize("role", OF_MOLECULE, indirect=True)
def test_a_role_of_molecules_passes_after_migrate_and_still_with_molecule(role: Path, debian: str) -> None:
    before = contents(role)
    passes(role, "proving_ground.cli", "migrate", MOLECULE_IMAGE=debian)
    after = contents(role)
    assert after.keys() - before.keys() >= {"pyproject.toml"}
    assert {name: after[name] for name in before} == before, "no file that was there has changed"
    passes(role, "pytest", "--pg-keep=never")
    cases = cases_of(role)
    assert cases.keys() >= STEPS | OF_MOLECULE[role.name]
    assert [name for name, outcome in cases.items() if outcome] == [], "all passed"
    assert_nothing_is_left(role, "container")
    log = role / "image.log"
    image = container_image.image_of(
        debian, Settings(role, "afterwards"), DOCKER, Progress(), log
    ).name  # it has systemd
    program, environment = str(molecule().python.with_name("molecule")), molecule().variables()
    environment["MOLECULE_IMAGE"] = image
    done = subprocess.run(
        [program, "test"], cwd=role, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("project", ["steps"], indirect=True)
def test_every_step_of_a_run_is_a_test(project: Path) -> None:
    passes(project, "pytest", "--pg-keep=never")
    role = "machine-01-acme.greeting.motd"
    assert list(cases_of(project)) == [
        *("test_syntax", "test_prepare", "test_converge", f"test_check_mode[{role}]", "test_check_mode_outside_roles"),
        *(f"test_idempotence[{role}]", "test_idempotence_outside_roles"),
        *("test_verify[Greeting-machine-01]", "test_verify[Preparation-machine-01]"),
        *("test_a_converge_runs_once[machine-01]", "test_cleanup"),
    ]
    assert [name for name, outcome in cases_of(project).items() if outcome] == [], "all passed"
    assert not list(project.glob("listed-*")), "the cleanup has run"
    assert_nothing_is_left(project, "container")


@pytest.fixture
def ssh_host(project: Path, debian: str) -> Iterator[None]:
    """The host of the example ``existing``, as its README makes it, but with a port that is free."""
    assert f"FROM {debian}\n" in (project / "host" / "Dockerfile").read_text(encoding="utf-8")
    name, key = f"proving-ground-example-{os.getpid()}", project / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    shutil.copy(key.with_suffix(".pub"), project / "host" / "authorized_keys")
    DOCKER.run("build", "--quiet", "--tag", name, str(project / "host"), timeout=600)
    try:
        DOCKER.run("run", "--detach", "--name", name, "--publish", "127.0.0.1::22", name, timeout=60)
        port = DOCKER.run("port", name, "22").strip().rpartition(":")[2]
        inventory = project / "inventory.yml"
        inventory.write_text(inventory.read_text(encoding="utf-8").replace("2222", port), encoding="utf-8")
        yield
    finally:
        for remove in (("rm", "--force", name), ("rmi", "--force", name)):
            with suppress(MachineError):
                DOCKER.run(*remove, timeout=60)


@pytest.mark.usefixtures("ssh_host")
@pytest.mark.parametrize("project", ["existing"], indirect=True)
def test_hosts_that_exist_are_tested_and_changed_only_on_request(project: Path) -> None:
    own: dict[str | None, list[str]] = {
        "test_somebody_can_log_in[web-01]": [],
        "test_the_host_is_a_server_of_its_group[web-01]": [],
    }
    passes(project, "pytest")
    assert cases_of(project) == own
    passes(project, "pytest", "--pg-converge")
    steps: dict[str | None, list[str]] = {"test_syntax": [], "test_converge": [], "test_idempotence_outside_roles": []}
    assert cases_of(project) == steps | own
    inventory = project / "inventory.yml"
    inventory.write_text(inventory.read_text(encoding="utf-8").replace("127.0.0.1", "127.0.0.2"), encoding="utf-8")
    silent = run(project, "pytest")
    assert silent.returncode == 14, silent.stdout
    assert "1 of 1 hosts do not answer: web-01: " in silent.stdout
