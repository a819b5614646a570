"""A playbook's phases: where it can be cut, what decides the outcome of each, and the cut itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from proving_ground.ansible.phases import CREATED, Phase, key, part, phases, up_to
from proving_ground.core.errors import UsageError
from proving_ground.core.project import Project

PLAYBOOK = """---
# A comment.
- name: Foundation
  hosts: all
  roles: [base]

- name: Top
  hosts: all
  roles:
    - {role: group/cluster, tags: [x]}
- name: Last
  hosts: localhost
  tasks:
    - name: Look
      ansible.builtin.import_role: {name: sample}
"""
NAMES = (("bottom", "Foundation"), ("all", "Last"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    for role in ("base", "group/cluster", "sample", "unused"):
        file = tmp_path / "roles" / role / "tasks" / "main.yml"
        file.parent.mkdir(parents=True)
        file.write_text(f"# {role}\n", encoding="utf-8")
    return tmp_path


def keys(project: Path, *more: str) -> dict[str, str]:
    return {phase.name: key(project, Project(), phase, *more) for phase in phases(project / "site.yml", NAMES)}


def test_phases_end_with_the_plays_they_name_and_begin_with_nothing(project: Path) -> None:
    assert phases(project / "site.yml", NAMES) == (Phase(CREATED, 0), Phase("bottom", 1), Phase("all", 3))


def test_what_no_phase_names_at_the_end_belongs_to_a_last_one(project: Path) -> None:
    found = phases(project / "site.yml", (("bottom", "Foundation"),))
    assert found[-1] == Phase("converged", 3)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((("bottom", "Nowhere"),), "no play is named 'Nowhere'"),
        ((("all", "Last"), ("bottom", "Foundation")), "'bottom' ends before"),
        (((CREATED, "Foundation"),), "'created' is"),
    ],
)
def test_phases_that_cannot_be_are_refused(project: Path, names: tuple[tuple[str, str], ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        phases(project / "site.yml", names)


def test_a_changed_role_changes_the_phases_from_it_on_and_no_other(project: Path) -> None:
    before = keys(project)
    (project / "roles" / "group/cluster" / "tasks" / "main.yml").write_text("# changed\n", encoding="utf-8")
    after = keys(project)
    assert [name for name in before if before[name] != after[name]] == ["all"]


@pytest.mark.parametrize("name", ["ansible.cfg", "plugins/x.py", "group_vars/all.yml", "filter_plugins/x.py"])
def test_what_has_a_say_in_every_play_changes_every_phase(project: Path, name: str) -> None:
    before = keys(project)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("# changed\n", encoding="utf-8")
    after = keys(project)
    assert all(before[phase] != after[phase] for phase in before)


def test_a_role_that_no_play_uses_changes_nothing(project: Path) -> None:
    before = keys(project)
    (project / "roles" / "unused" / "tasks" / "main.yml").write_text("# changed\n", encoding="utf-8")
    assert keys(project) == before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("meta/main.yml", "dependencies: [{role: middle}]"),
        ("meta/main.yml", "dependencies: [middle]"),
        ("tasks/more.yml", "- {block: [{ansible.builtin.include_role: {name: middle}}]}"),
        ("tasks/main.yaml", "- {import_role: {name: middle, tasks_from: other}}"),
        ("handlers/main.yml", "- {name: Again, include_role: {name: '{{ chosen }}'}}"),
    ],
)
def test_a_role_that_another_one_uses_changes_its_phase(project: Path, file: str, text: str) -> None:
    """By its dependencies, in its tasks or handlers, by way of a third; where the name is not known, it may be any."""
    use(project, "group/cluster", file, text)
    use(project, "middle", "tasks/main.yml", "- {include_role: {name: unused}}")
    before = keys(project)
    (project / "roles" / "unused" / "tasks" / "main.yml").write_text("# changed\n", encoding="utf-8")
    after = keys(project)
    assert [name for name in before if before[name] != after[name]] == ["all"]


def test_roles_that_use_each_other_come_to_an_end(project: Path) -> None:
    use(project, "group/cluster", "meta/main.yml", "dependencies: [base]")
    use(project, "base", "tasks/more.yml", "- {include_role: {name: group/cluster}}")
    assert keys(project)


def test_a_file_of_a_role_that_is_no_yaml_is_for_ansible_to_refuse(project: Path) -> None:
    use(project, "base", "tasks/main.yml", "- {name: [")
    assert keys(project)


def use(project: Path, role: str, file: str, text: str) -> None:
    path = project / "roles" / role / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def test_a_changed_play_changes_the_phases_from_it_on(project: Path) -> None:
    before = keys(project)
    text = PLAYBOOK.replace("hosts: localhost", "hosts: all")
    (project / "site.yml").write_text(text, encoding="utf-8")
    after = keys(project)
    assert [name for name in before if before[name] != after[name]] == ["all"]


def test_topology_and_pins_change_every_phase(project: Path) -> None:
    before, after = keys(project, "pins 1"), keys(project, "pins 2")
    assert all(before[name] != after[name] for name in before)


def test_an_environment_variable_of_playbooks_changes_every_phase(project: Path) -> None:
    first, *_ = phases(project / "site.yml", NAMES)
    found = {key(project, Project(playbook_environment=each), first) for each in ((), (("A", "1"),), (("A", "2"),))}
    assert len(found) == 3


def test_a_part_has_its_plays_on_the_lines_where_they_were(project: Path) -> None:
    text = part(project / "site.yml", 1, 2)
    assert [play["name"] for play in yaml.safe_load(text)] == ["Top"]
    line = PLAYBOOK.splitlines().index("- name: Top")
    assert text.splitlines()[line] == "- name: Top"


def test_the_parts_are_the_whole(project: Path) -> None:
    found = phases(project / "site.yml", NAMES)
    plays = [
        play
        for one, other in pairwise(found)
        for play in yaml.safe_load(part(project / "site.yml", one.plays, other.plays))
    ]
    assert plays == yaml.safe_load(PLAYBOOK)


@pytest.mark.parametrize(
    ("roles", "last"),
    [
        ([], "created"),
        (["base"], "bottom"),
        (["group/cluster"], "middle"),
        (["group/cluster", "base"], "middle"),
        (["sample"], "all"),
        (["base", "by way of another role's dependencies"], "all"),
        (None, "all"),
    ],
)
def test_roles_are_there_when_the_last_play_that_applies_one_has_run(
    project: Path, roles: list[str] | None, last: str
) -> None:
    found = phases(project / "site.yml", (("bottom", "Foundation"), ("middle", "Top"), ("all", "Last")))
    assert up_to(project / "site.yml", found, roles)[-1].name == last


def test_variables_beside_a_playbook_that_lies_elsewhere_change_every_phase(project: Path) -> None:
    elsewhere = Project(playbook="playbooks/site.yml")
    variables = project / "playbooks" / "group_vars" / "all.yml"
    variables.parent.mkdir(parents=True)
    (project / "site.yml").rename(project / elsewhere.playbook)
    found = []
    for text in ("port: 80", "port: 81"):
        variables.write_text(text, encoding="utf-8")
        found.append(key(project, elsewhere, Phase("all", 3)))
    assert found[0] != found[1]
