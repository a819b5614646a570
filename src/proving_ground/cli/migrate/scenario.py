"""Read the scenarios of a Molecule project: each its molecule.yml, merged over the base configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proving_ground.cli.migrate.interpolate import Fixed, fixed, interpolate
from proving_ground.core.errors import UsageError
from proving_ground.core.lines import yaml_lines
from proving_ground.core.problems import Keys, Problem, refusal
from proving_ground.core.schema import check
from proving_ground.core.yaml_files import parsed

SCHEMA = Path(__file__).with_name("molecule.json")
PATTERNS = ("molecule/*/molecule.yml", "extensions/molecule/*/molecule.yml")
"""Where scenarios lie: in a role, and in a collection."""

BASES = (".config/molecule/config.yml", "extensions/molecule/config.yml")
"""Files of which every scenario has the keys that it does not set itself."""

STATE = ".proving-ground"
"""The directory that stands in for Molecule's ephemeral directory."""


@dataclass(frozen=True)
class Source:
    """A file of a scenario's configuration: its path relative to the project, its text with variables replaced."""

    path: str
    text: str
    content: dict[str, Any]
    fixed: tuple[Fixed, ...] = ()

    def has(self, keys: Keys) -> bool:
        """Whether the file itself has this key."""
        here: Any = self.content
        for key in keys:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return False
        return True


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Attributes:
        name: its directory's.
        root: the project's directory.
        directory: the scenario's, relative to ``root``.
        content: its configuration, all files merged.
        sources: the files, the most specific first.
    """

    name: str
    root: Path
    directory: str
    content: dict[str, Any]
    sources: tuple[Source, ...] = field(default=())

    def get(self, *keys: str) -> Any:
        """Return the value of a key, or an empty mapping if it or one above it is missing or null."""
        here: Any = self.content
        for key in keys:
            here = (here.get(key) if isinstance(here, dict) else None) or {}
        return here

    def place(self, keys: Keys) -> str:
        """Return file and line of a key: ``molecule/default/molecule.yml:7``."""
        for source in self.sources:
            if source.has(keys):
                line = yaml_lines(source.text)(keys)
                return f"{source.path}:{line}" if line else source.path
        return self.sources[0].path if self.sources else f"{self.directory}/molecule.yml"

    def exists(self, name: str) -> bool:
        """Whether the scenario's directory has this file."""
        return (self.root / self.directory / name).exists()


def scenarios_of(root: Path, environment: Mapping[str, str]) -> list[Scenario]:
    """Read all scenarios of a project, the one called ``default`` first.

    Args:
        root: the project's directory.
        environment: values of the variables in the files; those in ``.env.yml`` go before them.

    Raises:
        UsageError: there is no scenario, or a file is not what Molecule would read.
    """
    paths = sorted(path for pattern in PATTERNS for path in root.glob(pattern))
    if not paths:
        hint = "change into the directory that has molecule/; `proving-ground init` begins without Molecule"
        raise UsageError("there is no scenario of Molecule", where="molecule/*/molecule.yml", hint=hint)
    values = {**environment, **_own_variables(root)}
    found = [_scenario(root, path, values) for path in paths]
    return sorted(found, key=lambda each: (each.name != "default", each.name))


def _own_variables(root: Path) -> dict[str, str]:
    path = root / ".env.yml"
    if not path.is_file():
        return {}
    return {str(name): str(value) for name, value in _mapping(path.name, path.read_text(encoding="utf-8")).items()}


def _scenario(root: Path, path: Path, values: Mapping[str, str]) -> Scenario:
    directory = path.parent.relative_to(root).as_posix()
    own = molecule_variables(root, directory)
    files = [path, *(base for name in BASES if (base := root / name).is_file())]
    sources = tuple(_source(root, file, {**values, **own}) for file in files)
    content: dict[str, Any] = {}
    for source in reversed(sources):
        content = merged(content, source.content)
    content = with_old_places(content)
    scenario = Scenario(path.parent.name, root, directory, content, sources)
    if problems := check(content, SCHEMA):
        raise refusal(UsageError, sources[0].path, problems, yaml_lines(sources[0].text))
    return scenario


def molecule_variables(root: Path, directory: str) -> dict[str, str]:
    """Return the variables that Molecule sets itself, for the scenario in this directory; pure."""
    return {
        "MOLECULE_PROJECT_DIRECTORY": str(root),
        "MOLECULE_SCENARIO_DIRECTORY": str(root / directory),
        "MOLECULE_SCENARIO_NAME": directory.rpartition("/")[2],
        "MOLECULE_EPHEMERAL_DIRECTORY": str(root / STATE),
        "MOLECULE_INVENTORY_FILE": str(root / STATE / "inventory.yml"),
        "MOLECULE_FILE": str(root / directory / "molecule.yml"),
    }


def _source(root: Path, path: Path, values: Mapping[str, str]) -> Source:
    name = path.relative_to(root).as_posix()
    raw = path.read_text(encoding="utf-8")
    text = interpolate(raw, values, where=name)
    return Source(name, text, _mapping(name, text), tuple(fixed(raw, values)))


def _mapping(name: str, text: str) -> dict[str, Any]:
    content = parsed(text, name)
    if content is not None and not isinstance(content, dict):
        raise refusal(UsageError, name, [Problem((), "is no mapping of keys and values")], yaml_lines(text))
    return content or {}


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the keys of ``over`` in it: mappings are merged, all else is replaced. Pure."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def with_old_places(content: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the keys of ``ansible`` (Molecule 25) where older ones have them. Pure."""
    ansible = content.get("ansible")
    if not isinstance(ansible, dict):
        return content
    new = {"cfg": "config_options", "env": "env", "playbooks": "playbooks"}
    moved = {old: ansible[key] for key, old in new.items() if isinstance(ansible.get(key), dict)}
    arguments = ansible.get("executor") or {}
    arguments = (arguments.get("args") or {}).get("ansible_playbook") if isinstance(arguments, dict) else None
    if arguments:
        moved["ansible_args"] = arguments
    return merged(content, {"provisioner": moved})
