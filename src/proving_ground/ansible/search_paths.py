"""Where Ansible looks for roles, collections and connection plugins: in our directories, then where it looks anyway."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proving_ground.ansible.requirements import installed
from proving_ground.ansible.role_links import ensure_links
from proving_ground.core.settings import Settings

CONNECTION_PLUGINS = Path(__file__).parent / "connection_plugins"


@dataclass(frozen=True)
class Search:
    """One of Ansible's search paths.

    Attributes:
        variable: the environment variable that sets it.
        keys: its names in the section ``defaults`` of Ansible's configuration, the newest first.
        usual: where Ansible looks unless it is told otherwise.
    """

    variable: str
    keys: tuple[str, ...]
    usual: str


CONNECTIONS = Search(
    "ANSIBLE_CONNECTION_PLUGINS",
    ("connection_plugins",),
    "~/.ansible/plugins/connection:/usr/share/ansible/plugins/connection",
)
ROLES = Search("ANSIBLE_ROLES_PATH", ("roles_path",), "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles")
COLLECTIONS = Search(
    "ANSIBLE_COLLECTIONS_PATH",
    ("collections_path", "collections_paths"),
    "~/.ansible/collections:/usr/share/ansible/collections",
)


def search_paths(settings: Settings, config: Path) -> dict[str, str]:
    """Return the environment variables with the search paths of Ansible that need our directories.

    Args:
        settings: of the project. If it is a role or a collection, this makes the links by which Ansible finds it.
        config: the project's file of Ansible's configuration; it need not exist.
    """
    roles, collections = ensure_links(settings)
    config = effective(config)
    own = os.environ | settings.playbook_environment
    found: dict[str, str] = {}
    if settings.engine:
        found |= joined(CONNECTIONS, (CONNECTION_PLUGINS,), config, own)
    required = installed(settings)
    if ours := [path for path in (roles, required.get("role")) if path is not None]:
        # Last, where Molecule looks as well: beside a project that is a role, for roles in directories of their own.
        found |= joined(ROLES, ours, config, own, after=() if roles is None else (settings.root.parent,))
    if ours := [path for path in (collections, required.get("collection")) if path is not None]:
        found |= joined(COLLECTIONS, ours, config, own)
    return found


def effective(config: Path) -> Path:
    """Return the configuration that Ansible reads: the project's, or else the first of its own places that exists."""
    own = os.environ.get("ANSIBLE_CONFIG")
    others = [*([Path(own)] if own else []), Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    return next((each for each in (config, *others) if each.is_file()), config)


def joined(
    search: Search, before: Sequence[Path], config: Path, environment: Mapping[str, str], after: Sequence[Path] = ()
) -> dict[str, str]:
    """Return the variable of a search path with directories before and after those that Ansible has already.

    Args:
        search: the search path.
        before: directories to search first.
        config: Ansible's configuration file; it need not exist. Its paths are relative to its directory.
        environment: this process's, which goes before the file.
        after: directories to search last.
    """
    others = environment.get(search.variable) or _configured(search, config) or search.usual
    return {search.variable: os.pathsep.join([*map(str, before), others, *map(str, after)])}


def default(config: Path, *keys: str) -> str:
    """Return the first of these keys that the section ``defaults`` of Ansible's configuration has; empty for none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.read(config)
    return next((text for key in keys if (text := parser.get("defaults", key, fallback=""))), "")


def _configured(search: Search, config: Path) -> str:
    said = default(config, *search.keys)
    return os.pathsep.join(str(config.parent / Path(each).expanduser()) for each in said.split(os.pathsep) if each)
