"""Translate what Molecule's provisioner says: playbooks, Ansible's configuration, environment, inventory. Pure."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from typing import Any

from proving_ground.cli.migrate.scenario import molecule_variables
from proving_ground.cli.migrate.translation import Translation, without_nulls

INVENTORYS = {
    "molecule_file": "{{ lookup('ansible.builtin.env', 'MOLECULE_FILE') }}",
    "molecule_scenario_directory": "{{ lookup('ansible.builtin.env', 'MOLECULE_SCENARIO_DIRECTORY') }}",
    "molecule_ephemeral_directory": "{{ lookup('ansible.builtin.env', 'MOLECULE_EPHEMERAL_DIRECTORY') }}",
    "molecule_yml": "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'MOLECULE_FILE')) | from_yaml }}",
}
"""Variables that Molecule's inventory has for all hosts; a project gets those that its scenario's files mention."""

BESIDE = ("prepare", "verify", "cleanup")
"""Steps whose playbooks are found beside the one that converges, by these names."""

AS_ENVIRONMENT = {"become": "ANSIBLE_BECOME", "tags": "ANSIBLE_RUN_TAGS"}
"""Options of ansible-playbook that a variable of the environment sets as well."""

QUIET = frozenset({"v", "vv", "vvv", "vvvv", "verbose", "diff", "D"})
"""Options that change only what Ansible prints."""


def provisioner(translation: Translation, names: dict[str, str]) -> None:
    """Translate the provisioner; ``names`` are platform's name → machine's name."""
    known = {"name", "log", "lint", "playbooks", "config_options", "env", "inventory", "options", "children"}
    for key in translation.scenario.get("provisioner"):
        if key == "ansible_args":
            advice = "set the variable of the same meaning in `playbook_environment`, such as ANSIBLE_RUN_TAGS"
            translation.lose(("provisioner", key), "there are no arguments for ansible-playbook", advice)
        elif key not in known:
            advice = "write it to group_vars/all.yml beside pyproject.toml"
            translation.lose(("provisioner", key), "there is no setting for it", advice)
    playbooks(translation)
    configuration(translation)
    environment(translation)
    variables(translation, names)
    links(translation)


def playbooks(translation: Translation) -> None:
    """Name the playbook that converges; those of the other steps are found beside it."""
    scenario = translation.scenario
    said = scenario.get("provisioner", "playbooks")
    wanted = str(said.get("converge") or "converge.yml")
    if not said.get("converge") and not scenario.exists(wanted) and scenario.exists("playbook.yml"):
        wanted = "playbook.yml"  # its name before Molecule 3
    path = relative(translation, wanted)
    if (scenario.root / path).is_file():
        translation.settings["playbook"] = path
    else:
        translation.lose(("provisioner", "playbooks", "converge"), f"there is no {path}", "name another as `playbook`")
    beside = PurePosixPath(path).parent
    for step in BESIDE:
        there = relative(translation, str(said.get(step) or f"{step}.yml"))
        if not (scenario.root / there).is_file():
            if (scenario.root / f"{step}.yml").is_file():
                reason = "Molecule does not use it for this scenario; here it runs as the step of its name"
                translation.note(f"{step}.yml", step, reason, "give it another name if it is no step of the test")
        elif there != str(beside / f"{step}.yml"):
            translation.settings[step] = there
    for step in ("create", "destroy"):
        if scenario.exists(str(said.get(step) or f"{step}.yml")):
            reason = "machines are made from the settings, not by a playbook"
            translation.lose(("provisioner", "playbooks", step), reason, "keep what prepares machines in prepare.yml")
    effect = relative(translation, str(said.get("side_effect") or "side_effect.yml"))
    if (scenario.root / effect).is_file():
        advice = f'write a test that calls pg_playbook("{effect}") and checks what it did'
        translation.lose(("provisioner", "playbooks", "side_effect"), "side effects are steps of a test", advice)


def configuration(translation: Translation) -> None:
    """Write the options of Ansible's configuration to a file beside the scenario, as Molecule does elsewhere."""
    scenario = translation.scenario
    sections = {
        str(name): options for name, options in scenario.get("provisioner", "config_options").items() if options
    }
    if not sections:
        return
    path = f"{scenario.directory}/ansible.cfg"
    if (scenario.root / path).exists():
        reason = f"{path} is there already, and is used as it is"
        translation.lose(("provisioner", "config_options"), reason, "compare the two")
    else:
        lines = []
        for name, options in sections.items():
            lines += [f"[{name}]", *(f"{key} = {_near(translation, value)}" for key, value in options.items()), ""]
        translation.files[path] = "\n".join(lines)
    translation.settings["ansible_config"] = path


def environment(translation: Translation) -> None:
    """Set Molecule's own variables, and those of the scenario, while playbooks and tests run."""
    scenario = translation.scenario
    found = {
        name: translation.portable(value)
        for name, value in molecule_variables(scenario.root, scenario.directory).items()
    }
    ansible = scenario.get("verifier").get("name") != "testinfra"
    for part in ("provisioner", *(("verifier",) if ansible else ())):
        for name, value in scenario.get(part, "env").items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found[str(name)] = _paths(translation, text) if str(name).endswith("_PATH") else translation.portable(text)
    for name, value in scenario.get("provisioner", "options").items():
        if str(name) in AS_ENVIRONMENT:
            found[AS_ENVIRONMENT[str(name)]] = str(value).lower() if isinstance(value, bool) else str(value)
        elif str(name) not in QUIET:
            advice = "set the variable of the same meaning in `playbook_environment`"
            translation.lose(("provisioner", "options", name), "there are no options for ansible-playbook", advice)
    translation.settings["playbook_environment"] = found


def variables(translation: Translation, names: dict[str, str]) -> None:
    """Translate the variables of groups and hosts."""
    scenario, settings = translation.scenario, translation.settings
    if mentioned := mentioned_in(translation):
        settings["variables"] = mentioned
    if "inventory" in settings:  # they are in that file
        return
    machines: dict[str, dict[str, Any]] = settings.get("machines", {})
    groups = {group for each in machines.values() for group in each.get("groups", [])}
    for group, said in scenario.get("provisioner", "inventory", "group_vars").items():
        content = _kept(translation, ("group_vars", group), said or {})
        if group == "all":
            settings["variables"] = {**settings.get("variables", {}), **content}
        elif group in groups:
            settings.setdefault("group_variables", {})[group] = content
        else:
            reason = "no machine is in this group"
            translation.lose(("provisioner", "inventory", "group_vars", group), reason, "add the group to a machine")
    for host, said in scenario.get("provisioner", "inventory", "host_vars").items():
        content = _kept(translation, ("host_vars", host), said or {})
        if host in names and names[host] in machines:
            machines[names[host]]["variables"] = content
        else:
            reason = "no machine has this name"
            advice = f"write host_vars/{host}.yml beside pyproject.toml, if playbooks use it"
            translation.lose(("provisioner", "inventory", "host_vars", host), reason, advice)


def mentioned_in(translation: Translation) -> dict[str, str]:
    """Return the variables of Molecule's inventory that the scenario's own files mention."""
    scenario = translation.scenario
    paths = (scenario.root / scenario.directory).rglob("*.y*ml")
    texts = [path.read_text(encoding="utf-8") for path in paths if path.stem not in {"molecule", "create", "destroy"}]
    return {name: text for name, text in INVENTORYS.items() if any(re.search(rf"\b{name}\b", each) for each in texts)}


def links(translation: Translation) -> None:
    """Name the directories of variables that are not where Ansible finds them."""
    scenario, settings = translation.scenario, translation.settings
    beside = PurePosixPath(str(settings.get("playbook", "."))).parent
    for name, said in scenario.get("provisioner", "inventory", "links").items():
        there = relative(translation, str(said))
        if name not in {"group_vars", "host_vars"}:
            advice = "name it as `inventory` if its hosts exist, or write its groups to the machines"
            translation.lose(("provisioner", "inventory", "links", name), "machines are the inventory", advice)
        elif there not in {name, str(beside / name)}:
            reason = f"{name}/ is read beside pyproject.toml and beside the playbook"
            translation.lose(("provisioner", "inventory", "links", name), reason, f"ln -s {there} {name}")


def relative(translation: Translation, path: str) -> str:
    """Return a path that is relative to the scenario, or absolute, as one that is relative to the project."""
    scenario = translation.scenario
    return os.path.relpath(os.path.join(scenario.root / scenario.directory, path), scenario.root)  # noqa: PTH118


def _paths(translation: Translation, text: str) -> str:
    """Return a list of paths that does not depend on where the project lies."""
    parts = [each for each in text.split(":") if each]
    places = [each if each.startswith("~") else f"{{root}}/{relative(translation, each)}" for each in parts]
    outside = [each if os.path.isabs(each) and "{" not in translation.portable(each) else "" for each in parts]  # noqa: PTH117
    return ":".join(kept or place for kept, place in zip(outside, places, strict=True))


def _near(translation: Translation, value: Any) -> str:
    """Return an option's value with paths of this project relative to the scenario, as its ansible.cfg needs them."""
    scenario = translation.scenario
    up = os.path.relpath(scenario.root, scenario.root / scenario.directory)
    return str(value).replace(str(scenario.root), up)


def _kept(translation: Translation, where: tuple[str, str], said: dict[str, Any]) -> dict[str, Any]:
    """Return the variables that TOML can hold."""
    found = {}
    for name, value in said.items():
        try:
            found[str(name)] = without_nulls(value)
        except ValueError as error:
            advice = f"write it to {where[0]}/{where[1]}.yml beside pyproject.toml"
            translation.lose(("provisioner", "inventory", *where, name), str(error), advice)
    return found
