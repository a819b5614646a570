"""Options become settings; what cannot be is refused before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.errors import UsageError
from fixtures.options import project, settings_from

ROOT = Path(__file__).parents[2]

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
    assert settings.patience == 1.0
    assert settings_from(OPTIONS | {"patience": "2.5"}, ROOT).patience == 2.5


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("topology", "moon", "--topology: unknown topology 'moon' — choose one of"),
        ("provider", "moon", "--provider: unknown provider 'moon' — choose one of: docker, libvirt, virtualbox"),
        ("keep", "moon", "--keep: unknown value 'moon' — choose one of: never, failed, always"),
        ("network_prefix", "moon", "--network-prefix: 'moon.0/24' is no IPv4 network"),
        ("patience", "moon", "--patience: 'moon' is no factor for waiting — choose a number from 1 to 100"),
        ("patience", "0.5", "--patience: '0.5' is no factor for waiting"),
        ("patience", "nan", "--patience: 'nan' is no factor for waiting"),
    ],
)
def test_a_value_that_cannot_be_is_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_from(OPTIONS | {option: value}, ROOT)
    assert message in str(caught.value)
    assert caught.value.exit_code == 11


def test_two_checkouts_are_told_apart() -> None:
    one = settings_from(OPTIONS, ROOT)
    assert one.checkout_id == settings_from(OPTIONS, ROOT).checkout_id
    assert len(one.checkout_id) == 8


def test_the_project_says_which_playbook_converges_its_machines(tmp_path: Path) -> None:
    assert settings_from(OPTIONS, ROOT).playbook == "kubernetes.yml"
    assert project(tmp_path) == {}, "a project that says nothing gets Ansible's habit"


@pytest.mark.parametrize(
    ("said", "message"),
    [('playbook = "absent.yml"', "there is no playbook absent.yml"), ("playbok = 1", "unknown setting playbok")],
)
def test_a_project_that_says_what_cannot_be_is_refused(tmp_path: Path, said: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.proving-ground]\n{said}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        project(tmp_path)
