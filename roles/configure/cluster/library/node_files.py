#!/usr/bin/python
"""Ansible module: puts all directories, links and files of a role in place in one call instead of one for each."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: node_files
short_description: Many directories, links and files in one call
description:
  - Makes what is missing, corrects what differs, and leaves the rest alone.
  - A loop pays for every item on every host what this pays once.
options:
  directories: {type: dict, default: {}, description: Mode of each directory by its path.}
  links: {type: dict, default: {}, description: Target of each symbolic link by its path.}
  files: {type: dict, default: {}, description: Content of each file by its path.}
  mode: {type: str, default: "0644", description: Mode of the files.}
  modes: {type: dict, default: {}, description: Mode of single files by their paths.}
  owners:
    description: Owner of directories and files by their paths, as C(user:group). Others belong to who makes them.
    type: dict
    default: {}
"""

RETURN = """
paths: {type: list, elements: str, returned: always, description: What was made or corrected.}
"""


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "dict", "default": {}},
            "links": {"type": "dict", "default": {}},
            "files": {"type": "dict", "default": {}},
            "mode": {"type": "str", "default": "0644"},
            "modes": {"type": "dict", "default": {}},
            "owners": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    given = module.params
    mode = int(given["mode"], 8)
    modes = dict.fromkeys(given["files"], mode) | {path: int(each, 8) for path, each in given["modes"].items()}
    try:
        owners = {path: Owner.named(name) for path, name in given["owners"].items()}
        differences = [
            *directories(given["directories"], owners, check=module.check_mode),
            *links(given["links"], check=module.check_mode),
            *files(given["files"], modes, owners, check=module.check_mode),
        ]
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    except LookupError as error:
        module.fail_json(msg=f"this machine has no such user or group: {error}")
    paths = [difference["after_header"] for difference in differences]
    module.exit_json(changed=bool(differences), paths=paths, diff=differences)


class Owner(NamedTuple):
    """Who owns a file, and the name by which Ansible shows it."""

    user: int
    group: int
    name: str

    @classmethod
    def named(cls, name: str) -> Owner:
        """Return the owner of a name ``user:group``; raises LookupError where the machine does not know it."""
        user, _, group = name.partition(":")
        return cls(pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid, name)


def directories(wanted: dict[str, str], owners: dict[str, Owner], *, check: bool) -> Iterator[dict[str, str]]:
    """Make or correct directories; yields what differed, as Ansible shows differences."""
    for name, mode in wanted.items():
        path, owner = Path(name), owners.get(name)
        before = _access(path.stat(), owner) if path.is_dir() else ""
        after = _wanted(int(mode, 8), owner)
        if before == after:
            continue
        yield _difference(path, before, after)
        if not check:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(int(mode, 8))
            if owner:
                os.chown(path, owner.user, owner.group)


def links(wanted: dict[str, str], *, check: bool) -> Iterator[dict[str, str]]:
    """Make or correct symbolic links; yields what differed."""
    for name, target in wanted.items():
        path = Path(name)
        # A Path would tidy the target up, and it would never be the wanted one.
        before = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115
        if before == target:
            continue
        yield _difference(path, before, target)
        if not check:
            with _in_place_of(path) as new:
                new.symlink_to(target)


def files(
    wanted: dict[str, str], modes: dict[str, int], owners: dict[str, Owner], *, check: bool
) -> Iterator[dict[str, str]]:
    """Make or correct files; yields what differed: the content, or where that is as wanted the mode and the owner."""
    for name, text in wanted.items():
        path, owner = Path(name), owners.get(name)
        content = text.encode("utf-8", "surrogateescape")
        # Bytes: reading as text takes all ends of lines for the same.
        before = path.read_bytes() if path.is_file() else None
        after = _wanted(modes[name], owner)
        if before != content:
            yield _difference(path, (before or b"").decode("utf-8", "replace"), content.decode("utf-8", "replace"))
        elif _access(path.lstat(), owner) != after:
            yield _difference(path, _access(path.lstat(), owner), after)
        else:
            continue
        if not check:
            # Readers see the old or the new file, and no other user can read a secret while it is written.
            with _in_place_of(path) as new:
                new.touch(0o600, exist_ok=False)
                new.write_bytes(content)
                if owner:
                    os.chown(new, owner.user, owner.group)
                new.chmod(modes[name])


@contextmanager
def _in_place_of(path: Path) -> Iterator[Path]:
    """A free name in the same directory, whose file takes the place of ``path`` at the end, or is removed.

    It is hidden, since a kubelet takes every other file for a manifest.

    Raises:
        OSError: it cannot; says so of ``path``.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # of a run that was broken off
        try:
            yield new
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _access(status: os.stat_result, owner: Owner | None) -> str:
    """What is there: the mode, and the owner where one is wanted."""
    if owner is None or (status.st_uid, status.st_gid) == (owner.user, owner.group):
        return _wanted(stat.S_IMODE(status.st_mode), owner)
    return f"{stat.S_IMODE(status.st_mode):04o} {status.st_uid}:{status.st_gid}\n"


def _wanted(mode: int, owner: Owner | None) -> str:
    return f"{mode:04o} {owner.name}\n" if owner else f"{mode:04o}\n"


def _difference(path: Path, before: str, after: str) -> dict[str, str]:
    return {"before_header": str(path), "after_header": str(path), "before": before, "after": after}


if __name__ == "__main__":
    main()
