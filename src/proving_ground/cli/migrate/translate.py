"""Translate scenarios: the first becomes the project's settings, each other one a profile. It writes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from proving_ground.cli.migrate.existing import existing, is_unmanaged
from proving_ground.cli.migrate.platforms import machines
from proving_ground.cli.migrate.provisioner import provisioner, relative
from proving_ground.cli.migrate.scenario import Scenario
from proving_ground.cli.migrate.translation import Translation

CONTAINERS = ("docker", "podman", "containers")
FOUND = (".", "meta", "collections", "roles")
"""Directories in which a requirements.yml is found, besides the playbook's."""

ORDER = ("image", "init", "privileged", "inventory", "playbook", "ansible_config", "check_mode")
"""The order of settings in the file; tables come after them."""

HOSTS = re.compile(r"testinfra_hosts\s*=")
VARIABLE = re.compile(r"\bMOLECULE_\w+")


def translate(scenario: Scenario) -> Translation:
    """Return what a scenario becomes."""
    translation = Translation(scenario)
    for source in scenario.sources:
        told = set()
        for each in source.fixed:
            if each.variable not in told:
                told.add(each.variable)
                reason = f"it has one value from now on: {each.value or 'empty'}"
                advice = "edit pyproject.toml where it has to be another"
                translation.note(f"{source.path}:{each.line}", each.text, reason, advice)
    driver(translation)
    names = existing(translation) if is_unmanaged(scenario) else machines(translation)
    provisioner(translation, names)
    sequence(translation)
    verifier(translation)
    dependency(translation)
    last = len(ORDER)
    places = {key: number for number, key in enumerate(ORDER)}
    translation.settings = dict(sorted(translation.settings.items(), key=lambda pair: places.get(pair[0], last)))
    return translation


def driver(translation: Translation) -> None:
    """Say what becomes of the driver, unless containers of an image are what it made as well."""
    name = str(translation.scenario.get("driver").get("name") or "default")
    if name in CONTAINERS:
        return
    if name in {"default", "delegated"} and is_unmanaged(translation.scenario):
        return
    images = all(each.get("image") for each in translation.scenario.content.get("platforms") or [])
    if name == "vagrant":
        reason, advice = "a box is no container image", "name an `image`; virtual machines need a Vagrantfile of yours"
    elif name in {"default", "delegated"} and images:
        reason, advice = "create.yml made the machines; now they are containers of their images", "nothing"
    elif name in {"default", "delegated"}:
        reason, advice = "create.yml made the machines", "name an `image`; hosts that are there need an `inventory`"
    else:
        reason, advice = f"nothing here makes machines as {name} does", "name an `image`, or an `inventory` of hosts"
    translation.lose(("driver", "name"), reason, advice)


def sequence(translation: Translation) -> None:
    """Compare the scenario's sequence of steps with the one that runs here."""
    said = translation.scenario.get("scenario").get("test_sequence") or []
    if not said:
        return
    keys = ("scenario", "test_sequence")
    if "check" in said:
        translation.settings["check_mode"] = True
    if "idempotence" not in said:
        advice = "add `-k 'not idempotence'` to pytest's `addopts`, or tag tasks with molecule-idempotence-notest"
        translation.lose(keys, "idempotence is tested after every converge", advice)
    if said.count("converge") > 1 or said.count("verify") > 1:
        reason, advice = "each step runs once", "write a test that calls pg_playbook for a step that comes again"
        translation.lose(keys, reason, advice)


def verifier(translation: Translation) -> None:
    """Say what becomes of a verifier that is neither Ansible nor testinfra, and of its options."""
    said = translation.scenario.get("verifier")
    name = str(said.get("name") or "ansible")
    if name not in {"ansible", "testinfra"}:
        advice = "write its checks as tests with the fixture `host`, or as tasks of verify.yml"
        translation.lose(("verifier", "name"), f"nothing here runs {name}", advice)
    if said.get("options") and name == "testinfra":
        advice = "add what you need to `addopts` in [tool.pytest.ini_options]"
        translation.lose(("verifier", "options"), "they are options of pytest itself", advice)
    if said.get("env") and name == "testinfra":
        translation.lose(("verifier", "env"), "tests have the environment of pytest", "set it in a fixture")
    tests(translation, str(said.get("directory") or "tests"))
    if said.get("enabled") is False:
        translation.lose(
            ("verifier", "enabled"), "tests that are there run", "remove verify.yml, or deselect the tests"
        )


def tests(translation: Translation, directory: str) -> None:
    """Name the lines of testinfra's tests that only Molecule's environment can run."""
    root = translation.scenario.root
    for path in sorted((root / relative(translation, directory)).rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        has_hosts = any(HOSTS.match(line) for line in lines)
        for number, line in enumerate(lines, start=1):
            where = f"{path.relative_to(root)}:{number}"
            if HOSTS.match(line):
                reason = "tests run on every machine by themselves; the mark `hosts` chooses groups"
                advice = 'write `if "MOLECULE_FILE" in os.environ:` before it, and it runs with both'
                translation.note(where, "testinfra_hosts", reason, advice)
            elif (found := VARIABLE.search(line)) and not (has_hosts and found[0] == "MOLECULE_INVENTORY_FILE"):
                reason = "it is set while playbooks run, not in tests"
                advice = "take what you need from the fixtures `pg_settings` and `pg_topology`"
                translation.note(where, found[0], reason, advice)


def dependency(translation: Translation) -> None:
    """Say what becomes of requirements that are not where they are looked for."""
    said, scenario = translation.scenario.get("dependency"), translation.scenario
    if said.get("enabled") is False:
        return
    if said.get("name") == "shell":
        advice = "run it before pytest, or in a fixture"
        translation.lose(("dependency", "command"), "no command runs before the machines", advice)
    options = said.get("options") or {}
    for key, usual in (("role-file", "requirements.yml"), ("requirements-file", "collections.yml")):
        named = options.get(key)
        path = str(named) if named else f"{scenario.directory}/{usual}"
        place = PurePosixPath(path)
        beside = PurePosixPath(translation.settings.get("playbook", ".")).parent
        if (scenario.root / path).is_file() and (
            place.stem != "requirements" or place.parent not in {beside, *map(PurePosixPath, FOUND)}
        ):
            reason = "a requirements.yml is found beside pyproject.toml or beside the playbook"
            translation.lose(("dependency", "options", key), reason, f"link or merge {path} there")


def combined(translations: Sequence[Translation]) -> dict[str, Any]:
    """Return the table ``[tool.proving-ground]``: the first translation's settings, and a profile for each other one.

    A profile has the keys that differ from those above it; one that its scenario does not have is empty.
    """
    first, *others = translations
    table = dict(first.settings)
    profiles = {}
    for each in others:
        own = {key: value for key, value in each.settings.items() if first.settings.get(key) != value}
        missing = {key: type(value)() for key, value in first.settings.items() if key not in each.settings}
        profiles[each.scenario.name] = {**own, **missing}
    return {**table, **({"profiles": profiles} if profiles else {})}
