"""Options become settings; what cannot be is refused before anything is made."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from proving_ground.core.errors import UsageError
from proving_ground.core.plan import plan_of
from proving_ground.core.project import Project, read_project
from proving_ground.core.schema import SCHEMAS
from proving_ground.plugin.configuration import settings_from

ROOT = Path(__file__).parents[3]

OPTIONS: dict[str, str | bool | None] = {
    "topology": "default",
    "provider": "docker",
    "keep": "failed",
    "reuse": False,
    "network_prefix": None,
}


def test_settings_carry_what_was_asked_for() -> None:
    settings = settings_from(OPTIONS | {"topology": "single", "keep": "always", "reuse": True}, ROOT)
    assert (settings.topology, settings.keep, settings.reuse) == ("single", "always", True)
    assert settings.timeout_factor == 1.0
    assert settings_from(OPTIONS | {"timeout_factor": "2.5"}, ROOT).timeout_factor == 2.5


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("topology", "moon", "--pg-topology: unknown topology 'moon' — choose one of"),
        (
            "provider",
            "moon",
            "--pg-provider: unknown value 'moon' — choose one of: container, docker, existing, libvirt, podman, ",
        ),
        ("provider", "dokcer", "--pg-provider: unknown value 'dokcer' — did you mean docker?"),
        ("keep", "moon", "--pg-keep: unknown value 'moon' — choose one of: never, failed, always"),
        ("network_prefix", "moon", "--pg-network-prefix: 'moon.0/24' is no IPv4 network"),
        (
            "timeout_factor",
            "moon",
            "--pg-timeout-factor: 'moon' is no factor for time-outs — choose",
        ),
        ("timeout_factor", "0.5", "--pg-timeout-factor: '0.5' is no factor for time-outs"),
        ("timeout_factor", "nan", "--pg-timeout-factor: 'nan' is no factor for time-outs"),
    ],
)
def test_a_value_that_cannot_be_is_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(settings_from(OPTIONS | {option: value}, ROOT))
    assert message in str(caught.value)
    assert caught.value.exit_code == 11


def test_two_checkouts_are_told_apart() -> None:
    one = settings_from(OPTIONS, ROOT)
    assert one.checkout_id == settings_from(OPTIONS, ROOT).checkout_id
    assert len(one.checkout_id) == 8


def test_the_project_says_which_playbook_converges_its_machines(tmp_path: Path) -> None:
    assert settings_from(OPTIONS, ROOT).playbook == "kubernetes.yml"
    assert read_project(tmp_path) == Project(), "a project that says nothing gets Ansible's habit"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('playbook = "absent.yml"', r":2: playbook: there is no playbook absent\.yml — "),
        ("playbok = 1", r":2: playbok: unknown key — did you mean playbook\?$"),
        ("moon = 1", r":2: moon: unknown key — choose one of: image, images, init, privileged, "),
        ("user = 5", r":2: user: is 5 — write text in quotes$"),
        ('artifacts = "all"', r':2: artifacts: is "all" — write a list of texts$'),
        ("artifacts = [\n  'a',\n  3,\n]", r":2: artifacts\[1\]: is 3 — write text in quotes$"),
        ("[tool.proving-ground.phases]\na = 'b'\nbottom = 1", r":4: phases\.bottom: is 1 — write text in quotes$"),
        ("[tool.other]\nuser = 1\n[tool.proving-ground.environment]\nuser = 1", r":5: environment\.user: is 1"),
    ],
)
def test_a_project_that_says_what_cannot_be_is_refused(tmp_path: Path, said: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.proving-ground]\n{said}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=rf"pyproject\.toml{message}") as caught:
        read_project(tmp_path)
    assert caught.value.exit_code == 11


def test_the_schema_of_a_project_has_its_settings_in_their_order() -> None:
    schema = json.loads((SCHEMAS / "project.json").read_text(encoding="utf-8"))
    assert list(schema["properties"]) == [field.name for field in fields(Project)]
