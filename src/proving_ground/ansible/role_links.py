"""Let Ansible find a project that is a role, or a collection, by all its names: links in the state directory.

Playbooks of roles name the role by its directory, or by the name that it has on Galaxy. Playbooks of collections name
roles by the collection (``acme.web.nginx``), also in a checkout whose directory has another name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from proving_ground.core.documents import read_yaml
from proving_ground.core.settings import Settings
from proving_ground.machines.ledger import COLLECTION_LINKS, ROLE_LINKS

NAME = re.compile(r"\w[\w.-]*")
PREFIX = re.compile(r"^ansible-(role-)?")
"""What repositories of roles begin with, and the roles' names do not."""


def ensure_links(settings: Settings) -> tuple[Path | None, Path | None]:
    """Make the links of a project that is a role or a collection; do nothing in all other projects.

    Returns:
        the directory to search for roles, and the one to search for collections; None if there are no links for it.
    """
    root = settings.root
    roles, collections = settings.state_directory / ROLE_LINKS, settings.state_directory / COLLECTION_LINKS
    names = role_names(root.name, _read(root / "meta" / "main")) if settings.is_role else ()
    for name in names:
        _link(roles / name, root)
    collection = collection_name(_read(root / "galaxy"))
    if collection is not None:
        _link(collections.joinpath("ansible_collections", *collection), root)
    return roles if names else None, None if collection is None else collections


def role_names(directory: str, meta: Any) -> tuple[str, ...]:
    """Return the names by which playbooks name a role, each once. Pure.

    Args:
        directory: the name of the role's directory.
        meta: the content of its ``meta/main.yml``.
    """
    said = meta.get("galaxy_info") if isinstance(meta, dict) else None
    info = said if isinstance(said, dict) else {}
    own = str(info.get("role_name") or PREFIX.sub("", directory).rpartition(".")[2])
    spaces = [str(info[key]) for key in ("namespace", "author") if info.get(key)]
    found = [directory, own, *(f"{space}.{own}" for space in spaces)]
    return tuple(name for name in dict.fromkeys(found) if NAME.fullmatch(name))


def collection_name(galaxy: Any) -> tuple[str, str] | None:
    """Return namespace and name of a collection from the content of its ``galaxy.yml``; None if it is not one. Pure."""
    parts = [str(galaxy.get(key) or "") for key in ("namespace", "name")] if isinstance(galaxy, dict) else []
    return (parts[0], parts[1]) if parts and all(part.isidentifier() for part in parts) else None


def _read(stem: Path) -> Any:
    """Return the content of ``stem.yml`` or ``stem.yaml``; None if there is none, or it is no YAML."""
    for suffix in (".yml", ".yaml"):
        try:
            return read_yaml(stem.with_suffix(suffix).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, yaml.YAMLError):  # Ansible reports it with a better message
            return None
    return None


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
