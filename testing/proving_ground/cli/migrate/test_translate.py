"""A scenario becomes settings, and a list of what they cannot say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proving_ground.cli.migrate.scenario import scenarios_of
from proving_ground.cli.migrate.translate import combined, translate
from proving_ground.cli.migrate.translation import Translation
from testing.proving_ground.cli.migrate.conftest import Translates, problems_in

USUAL = """\
---
role_name_check: 1
dependency:
  name: galaxy
  options:
    ignore-errors: true
driver:
  name: docker
platforms:
  - name: instance
    image: "geerlingguy/docker-${MOLECULE_DISTRO:-rockylinux9}-ansible:latest"
    command: ${MOLECULE_DOCKER_COMMAND:-""}
    volumes:
      - /sys/fs/cgroup:/sys/fs/cgroup:rw
    cgroupns_mode: host
    privileged: true
    pre_build_image: true
provisioner:
  name: ansible
  playbooks:
    converge: ${MOLECULE_PLAYBOOK:-converge.yml}
"""

OWN = {
    "MOLECULE_PROJECT_DIRECTORY": "{root}",
    "MOLECULE_SCENARIO_DIRECTORY": "{root}/molecule/default",
    "MOLECULE_SCENARIO_NAME": "default",
    "MOLECULE_EPHEMERAL_DIRECTORY": "{state}",
    "MOLECULE_INVENTORY_FILE": "{state}/inventory.yml",
    "MOLECULE_FILE": "{root}/molecule/default/molecule.yml",
}


def lost(translation: Translation) -> dict[str, str]:
    return {loss.key: loss.place for loss in translation.losses}


def test_the_usual_role_becomes_an_image_and_a_playbook(translated: Translates) -> None:
    assert translated(USUAL).settings == {
        "image": "geerlingguy/docker-rockylinux9-ansible:latest",
        "playbook": "molecule/default/converge.yml",
        "machines": {"instance": {"numbered": False}},
        "playbook_environment": OWN,
    }


def test_what_the_usual_role_needs_no_more_is_said_with_its_line(translated: Translates) -> None:
    found = translated(USUAL)
    file = "molecule/default/molecule.yml"
    assert lost(found) == {
        "${MOLECULE_DISTRO:-rockylinux9}": f"{file}:11",
        '${MOLECULE_DOCKER_COMMAND:-""}': f"{file}:12",
        "${MOLECULE_PLAYBOOK:-converge.yml}": f"{file}:21",
        "platforms[0].volumes[0]": f"{file}:14",
        "platforms[0].cgroupns_mode": f"{file}:15",
        "platforms[0].privileged": f"{file}:16",
    }
    assert str(found.losses[-1]) == (
        f"{file}:16: platforms[0].privileged: systemd starts with fewer rights here"
        " — set `privileged = true` if the role itself needs it"
    )


def test_the_environment_chooses_as_it_does_for_molecule(translated: Translates) -> None:
    assert (
        translated(USUAL, MOLECULE_DISTRO="debian12").settings["image"] == "geerlingguy/docker-debian12-ansible:latest"
    )


def test_machines_keep_what_platforms_say(translated: Translates) -> None:
    found = translated("""
        driver: {name: podman}
        platforms:
          - name: web
            image: debian:12
            command: /lib/systemd/systemd
            groups: [web_servers, ungrouped]
            children: [frontends]
            memory: 1g
            cpus: 1.5
            volumes: ["${MOLECULE_PROJECT_DIRECTORY}/files:/srv:ro", /var/lib/cache]
            tmpfs: {/run: "", /tmp: exec}
            capabilities: [NET_ADMIN, SYS_ADMIN]
            published_ports: ["8080:80/tcp", "9000-9010:9000-9010"]
            env: {LANG: C.UTF-8}
            networks: [{name: front}, {name: back}]
            ulimits: ["nofile:262144:262144"]
          - name: db
            image: ubuntu:24.04
            command: /sbin/init
    """)
    assert found.settings["machines"] == {
        "web": {
            "numbered": False,
            "groups": ["web_servers", "frontends"],
            "image": "debian:12",
            "memory": 1024,
            "cpus": 2,
            "volumes": ["./files:/srv:ro", "var-lib-cache:/var/lib/cache"],
            "tmpfs": ["/tmp:exec"],
            "ports": ["8080:80/tcp"],
            "capabilities": ["NET_ADMIN"],
            "environment": {"LANG": "C.UTF-8"},
        },
        "db": {"numbered": False, "image": "ubuntu:24.04"},
    }
    assert set(lost(found)) == {
        "platforms[0].published_ports[1]",
        "platforms[0].networks[1]",
        "platforms[0].ulimits",
        "platforms[0].capabilities",
    }


@pytest.mark.parametrize(
    ("said", "init"),
    [
        ("", "none"),
        ("command: sleep infinity", "none"),
        ("command: /usr/sbin/init", ""),
        ("command: [/lib/systemd/systemd]", ""),
        ('command: ""', ""),
        ("override_command: false", ""),
        ("systemd: always", ""),
    ],
)
def test_process_1_is_systemd_where_it_was(translated: Translates, said: str, init: str) -> None:
    found = translated(f"platforms:\n  - name: instance\n    image: debian:12\n    {said}\ndriver: {{name: docker}}\n")
    assert found.settings.get("init", "") == init


def test_rights_of_a_container_without_systemd_are_kept(translated: Translates) -> None:
    found = translated("driver: {name: docker}\nplatforms: [{name: a, image: debian, privileged: true}]\n")
    assert found.settings["privileged"] is True
    assert lost(found) == {}


@pytest.mark.parametrize(("said", "name"), [("web server", "web-server"), ("1st", "machine-1st"), ("Web_", "web")])
def test_a_name_that_no_machine_can_have_is_changed_and_told(translated: Translates, said: str, name: str) -> None:
    found = translated(f"driver: {{name: docker}}\nplatforms: [{{name: {said}, image: debian}}]\n")
    assert list(found.settings["machines"]) == [name]
    assert list(lost(found)) == ["platforms[0].name"]


def test_variables_are_those_of_all_of_a_group_and_of_a_host(translated: Translates) -> None:
    found = translated("""
        driver: {name: docker}
        platforms: [{name: web/1, image: debian, groups: [web]}]
        provisioner:
          inventory:
            group_vars:
              all: {port: 80, nothing: null}
              web: {users: [{name: a}]}
              unknown: {a: 1}
            host_vars:
              web/1: {role: primary}
              other: {}
    """)
    assert found.settings["variables"] == {"port": 80}
    assert found.settings["group_variables"] == {"web": {"users": [{"name": "a"}]}}
    assert found.settings["machines"]["web-1"]["variables"] == {"role": "primary"}
    assert set(lost(found)) == {
        "platforms[0].name",
        "provisioner.inventory.group_vars.all.nothing",
        "provisioner.inventory.group_vars.unknown",
        "provisioner.inventory.host_vars.other",
    }


def test_ansibles_configuration_becomes_a_file_beside_the_scenario(translated: Translates) -> None:
    found = translated("""
        driver: {name: docker}
        platforms: []
        provisioner:
          config_options:
            defaults: {roles_path: "${MOLECULE_PROJECT_DIRECTORY}/../", host_key_checking: false}
            ssh_connection: {pipelining: true}
    """)
    assert found.settings["ansible_config"] == "molecule/default/ansible.cfg"
    assert found.files["molecule/default/ansible.cfg"].splitlines() == [
        "[defaults]",
        "roles_path = ../../../",
        "host_key_checking = False",
        "",
        "[ssh_connection]",
        "pipelining = True",
    ]


def test_the_provisioners_environment_is_set_beside_molecules_own(translated: Translates) -> None:
    found = translated("""
        driver: {name: docker}
        platforms: []
        provisioner:
          options: {become: true, vvv: true, limit: web}
          env:
            ANSIBLE_ROLES_PATH: ../../roles:~/.ansible/roles:/opt/roles
            ANSIBLE_NOCOWS: true
            CACHE: $MOLECULE_EPHEMERAL_DIRECTORY/cache
    """)
    assert found.settings["playbook_environment"] == OWN | {
        "ANSIBLE_ROLES_PATH": "{root}/roles:~/.ansible/roles:/opt/roles",
        "ANSIBLE_NOCOWS": "true",
        "CACHE": "{state}/cache",
        "ANSIBLE_BECOME": "true",
    }
    assert list(lost(found)) == ["provisioner.options.limit"]


def test_keys_that_molecule_25_moved_are_found_where_they_are(root: Path, translated: Translates) -> None:
    (root / "site.yml").write_text("- hosts: all\n", encoding="utf-8")
    found = translated("""
        ansible:
          playbooks: {converge: ../../site.yml}
          env: {A: b}
        driver: {name: docker}
    """)
    assert found.settings["playbook"] == "site.yml"
    assert found.settings["playbook_environment"]["A"] == "b"


def test_a_playbook_that_does_not_lie_beside_the_others_is_named(root: Path, translated: Translates) -> None:
    (root / "shared").mkdir()
    (root / "shared" / "prepare.yml").write_text("[]\n", encoding="utf-8")
    found = translated("""
        driver: {name: docker}
        provisioner: {playbooks: {prepare: ../../shared/prepare.yml}}
    """)
    assert found.settings["prepare"] == "shared/prepare.yml"
    assert lost(found) == {}


@pytest.mark.parametrize(
    ("file", "text", "more", "image"),
    [
        ("Dockerfile", "FROM debian", "", "molecule/default/Dockerfile"),
        ("Dockerfile", "FROM debian", "pre_build_image: true", "debian"),
        ("Dockerfile.j2", "FROM debian", "", None),
        ("Dockerfile", "FROM {{ item.image }}", "", None),
        ("Dockerfile", "", "", None),
    ],
)
def test_a_dockerfile_is_the_image_and_a_template_of_one_is_told(
    root: Path, translated: Translates, file: str, text: str, more: str, image: str | None
) -> None:
    if text:
        (root / "molecule" / "default" / file).write_text(text, encoding="utf-8")
    found = translated(f"platforms: [{{name: a, image: debian, dockerfile: {file}, {more}}}]")
    assert found.settings["image"] == (image or "debian")
    assert ("platforms[0].dockerfile" in lost(found)) == (image is None)


def test_playbooks_beside_molecule_that_run_here_as_steps_are_told(root: Path, translated: Translates) -> None:
    for name in ("prepare.yml", "verify.yml", "cleanup.yml", "molecule/default/verify.yml"):
        (root / name).write_text("- hosts: all\n", encoding="utf-8")
    found = translated("provisioner: {playbooks: {cleanup: ../../cleanup.yml}}")
    assert {key: place for key, place in lost(found).items() if key in {"prepare", "verify", "cleanup"}} == {
        "prepare": "prepare.yml"
    }
    assert "prepare" not in found.settings
    assert found.settings["cleanup"] == "cleanup.yml"


def test_directories_of_variables_are_named_unless_ansible_finds_them(translated: Translates) -> None:
    found = translated("""
        driver: {name: docker}
        provisioner:
          inventory:
            links: {group_vars: ../../group_vars/, host_vars: ../../shared/host_vars/, hosts: ../../hosts}
    """)
    assert [str(loss).rpartition(" — ")[2] for loss in found.losses] == [
        "ln -s shared/host_vars host_vars",
        "name it as `inventory` if its hosts exist, or write its groups to the machines",
    ]


def test_variables_of_molecules_inventory_are_there_if_playbooks_use_them(root: Path, translated: Translates) -> None:
    play = '- {hosts: all, vars: {name: "{{ molecule_yml.scenario.name }}"}}\n'
    (root / "molecule" / "default" / "verify.yml").write_text(play, encoding="utf-8")
    found = translated("""
        driver: {name: docker}
        provisioner: {inventory: {group_vars: {all: {port: 80}}}}
    """)
    assert list(found.settings["variables"]) == ["molecule_yml", "port"]


def test_steps_that_run_otherwise_are_told(root: Path, translated: Translates) -> None:
    for name in ("create.yml", "side_effect.yml", "requirements.yml", "collections.yml"):
        (root / "molecule" / "default" / name).write_text("[]\n", encoding="utf-8")
    found = translated("""
        driver: {name: default}
        platforms: [{name: a, image: debian, dockerfile: Dockerfile.j2, unheard_of: 1}]
        scenario: {test_sequence: [create, converge, check, verify, destroy]}
        verifier: {name: goss}
    """)
    assert found.settings["check_mode"] is True
    assert set(lost(found)) == {
        "driver.name",
        "platforms[0].dockerfile",
        "platforms[0].unheard_of",
        "provisioner.playbooks.create",
        "provisioner.playbooks.side_effect",
        "scenario.test_sequence",
        "verifier.name",
        "dependency.options.requirements-file",
    }


def test_tests_that_ask_molecule_for_hosts_are_named_with_the_change(root: Path, translated: Translates) -> None:
    tests = root / "molecule" / "default" / "tests"
    tests.mkdir()
    (tests / "test_default.py").write_text(
        "import os\n\nimport testinfra.utils.ansible_runner\n\n"
        "testinfra_hosts = testinfra.utils.ansible_runner.AnsibleRunner(\n"
        "    os.environ['MOLECULE_INVENTORY_FILE']).get_hosts('all')\n\n"
        "def test_where(host):\n    assert os.environ['MOLECULE_SCENARIO_NAME'] == 'default'\n",
        encoding="utf-8",
    )
    found = translated("driver: {name: docker}\nverifier: {name: testinfra, env: {A: b}, options: {v: 1}}\n")
    assert lost(found) == {
        "verifier.env": "molecule/default/molecule.yml:2",
        "verifier.options": "molecule/default/molecule.yml:2",
        "testinfra_hosts": "molecule/default/tests/test_default.py:5",
        "MOLECULE_SCENARIO_NAME": "molecule/default/tests/test_default.py:9",
    }
    assert "A" not in found.settings["playbook_environment"]


def test_hosts_that_molecule_does_not_make_become_an_inventory(translated: Translates) -> None:
    found = translated("""
        driver:
          name: default
          options: {managed: false, ansible_connection_options: {ansible_user: admin}}
        platforms: [{name: web_1, groups: [web]}, {name: db_1}]
        provisioner:
          inventory:
            hosts: {all: {hosts: {db_1: {ansible_host: 192.0.2.7}}}}
            host_vars: {web_1: {ansible_host: 192.0.2.6}}
            group_vars: {web: {port: 80}, all: {zone: null}}
    """)
    assert found.settings == {
        "inventory": "molecule/default/hosts.yml",
        "playbook": "molecule/default/converge.yml",
        "converge": True,
        "playbook_environment": OWN,
    }
    assert yaml.safe_load(found.files["molecule/default/hosts.yml"]) == {
        "all": {
            "hosts": {
                "web_1": {"ansible_user": "admin", "ansible_host": "192.0.2.6"},
                "db_1": {"ansible_user": "admin", "ansible_host": "192.0.2.7"},
            },
            "children": {"web": {"hosts": {"web_1": {}}, "vars": {"port": 80}}},
            "vars": {"zone": None},
        }
    }
    assert lost(found) == {}


def test_other_scenarios_are_profiles_with_what_differs(root: Path, translated: Translates) -> None:
    translated("""
        driver: {name: docker}
        platforms: [{name: one, image: debian:12, command: /sbin/init}]
        provisioner: {inventory: {group_vars: {all: {port: 80}}}}
    """)
    other = root / "molecule" / "cluster"
    other.mkdir()
    (other / "converge.yml").write_text("- hosts: all\n", encoding="utf-8")
    (other / "molecule.yml").write_text(
        "platforms: [{name: two, image: debian:12, command: /sbin/init}]\n", encoding="utf-8"
    )
    (root / ".config" / "molecule").mkdir(parents=True)
    (root / ".config" / "molecule" / "config.yml").write_text("driver: {name: docker}\n", encoding="utf-8")
    found = [translate(scenario) for scenario in scenarios_of(root, {})]
    assert [each.losses for each in found] == [[], []], "the driver is that of the base configuration"
    table = combined(found)
    assert problems_in(table) == []
    assert table["playbook"] == "molecule/default/converge.yml"
    assert set(table["profiles"]) == {"cluster"}
    profile = table["profiles"]["cluster"]
    assert profile.pop("playbook_environment")["MOLECULE_SCENARIO_NAME"] == "cluster"
    assert profile == {
        "playbook": "molecule/cluster/converge.yml",
        "machines": {"two": {"numbered": False}},
        "variables": {},
    }
