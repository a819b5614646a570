"""``proving-ground migrate`` says what it wrote, what it could not carry over, and what to run next."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from proving_ground.cli.main import main

MOLECULE = """\
driver: {name: docker}
platforms:
  - {name: instance, image: "debian:12", command: /sbin/init, devices: [/dev/fuse]}
provisioner: {config_options: {defaults: {forks: 5}}}
"""


@pytest.fixture(autouse=True)
def _there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    (root / "molecule" / "default" / "molecule.yml").write_text(MOLECULE, encoding="utf-8")


def test_it_says_what_it_wrote_and_what_it_could_not_carry_over(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote pyproject.toml",
        "wrote molecule/default/ansible.cfg",
        "not carried over as it is:",
        "  molecule/default/molecule.yml:3: platforms[0].devices: there is no setting for it — do it in prepare.yml, or"
        " start the machines yourself and test them with the provider `existing`",
        "now run: pytest",
    ]
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["proving-ground"]
    assert table["image"] == "debian:12"
    assert (root / "molecule" / "default" / "ansible.cfg").read_text(encoding="utf-8") == "[defaults]\nforks = 5\n"


def test_each_scenario_runs_its_own_tests(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("default", "cluster", "empty"):
        directory = root / "molecule" / name
        directory.mkdir(exist_ok=True)
        (directory / "molecule.yml").write_text(MOLECULE, encoding="utf-8")
        if name != "empty":
            (directory / "tests").mkdir()
            (directory / "tests" / "test_default.py").write_text("", encoding="utf-8")
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "now run: pytest --ignore=molecule/cluster",
        "for scenario cluster: pytest --pg-profile cluster --ignore=molecule/default",
        "for scenario empty: pytest --pg-profile empty --ignore=molecule/default --ignore=molecule/cluster",
    ]


def test_a_dry_run_prints_and_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(root.rglob("*"))
    assert main(["migrate", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert '--- pyproject.toml\n[tool.proving-ground]\nimage = "debian:12"\n' in said
    assert "--- molecule/default/ansible.cfg\n[defaults]\nforks = 5\n" in said
    assert said.endswith("now run: proving-ground migrate\n")
    assert sorted(root.rglob("*")) == before


def test_a_second_time_nothing_is_overwritten(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["migrate"])
    first = (root / "pyproject.toml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["migrate"]) == 0
    assert (root / "pyproject.toml").read_text(encoding="utf-8") == first
    said = capsys.readouterr().out
    assert "pyproject.toml: image was there already, and stays as it is\n" in said
    assert "molecule/default/ansible.cfg is there already, and is used as it is" in said


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: [", "molecule/default/molecule.yml: not YAML"),
        ("- a\n", "molecule/default/molecule.yml:1: is no mapping"),
        ("platforms: [{image: a}]\n", "molecule/default/molecule.yml:1: platforms[0]: needs the key name"),
        ("a: $ 1\n", "molecule/default/molecule.yml:1: $ begins no variable"),
    ],
)
def test_a_file_that_molecule_cannot_read_either_is_one_clear_line(
    root: Path, capsys: pytest.CaptureFixture[str], text: str, error: str
) -> None:
    (root / "molecule" / "default" / "molecule.yml").write_text(text, encoding="utf-8")
    assert main(["migrate"]) == 11
    said = capsys.readouterr().err
    assert said.startswith(f"error: {error}")
    assert said.count("\n") == 1
    assert not (root / "pyproject.toml").exists()


def test_a_project_without_molecule_is_told_where_to_begin(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    assert main(["migrate"]) == 11
    assert "there is no scenario of Molecule — change into the directory that has molecule/" in capsys.readouterr().err
